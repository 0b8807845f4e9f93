/** Every line of `sell-sink` that a page tells people to type is one that it takes: commands, arguments and options. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandsOf, createProgram } from "../../../src/cli/program.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGES = ["README.md", "deploy/helm/README.md", ...globSync("deploy/runbooks/*.md", { cwd: ROOT }).toSorted()];

/** Commands of the shell in a page's blocks, continued lines joined, without comments and what they are piped into. */
const shellLines = (text: string): readonly string[] =>
  [...text.matchAll(/^ *```sh\n([^]*?)^ *```/gm)]
    .flatMap(([, block = ""]) => block.replaceAll(/\\\n\s*/g, " ").split("\n"))
    .map((line) => line.replace(/(^| )#.*/, "").trim());

const typed = (line: string): readonly string[] | null => {
  const [, rest] = /(?:^|-- )(?:sell-sink|npm start --) (.*)/.exec(line) ?? [];
  if (rest === undefined) return null;
  const words = rest.split(/ [|&>]/)[0]?.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
};

const LINES = PAGES.flatMap((page) =>
  shellLines(readFileSync(join(ROOT, page), "utf8")).flatMap((line) => {
    const words = typed(line);
    return words === null ? [] : [{ page, words, line: words.join(" ") }];
  }),
);

/** The command line, taken but not run. */
const taken = async (words: readonly string[]): Promise<string> => {
  let said = "";
  const silent = {
    out: () => {},
    err: (text: string) => void (said += text),
    hasColors: false,
    columns: null,
    failures: [],
    env: {},
    secrets: new Set<string>(),
  };
  const program = await createProgram(silent, () => {});
  let ran = "nothing";
  for (const command of commandsOf(program))
    if (command.commands.length === 0) command.action(() => void (ran = command.name()));
  await program.parseAsync([...words], { from: "user" }).catch(() => {});
  return said === "" ? ran : said;
};

test("there are such lines, and a wrong one is seen", async () => {
  expect(LINES.length).toBeGreaterThan(30);
  expect(await taken(["lag", "--wach"])).toContain("unknown option");
  expect(await taken(["dlq", "shwo"])).toContain("error");
  expect(await taken(["dlq", "list"])).toContain("--config");
});

describe.each([...new Set(LINES.map(({ page }) => page))])("%s", (page) => {
  test.each(LINES.filter((one) => one.page === page))("sell-sink $line", async ({ words }) => {
    const [command = "", inner = ""] = words;
    expect([command, inner]).toContain(await taken(words));
  });
});
