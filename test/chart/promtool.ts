/** Runs promtool on rules, and scenarios against them. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";

const exec = promisify(execFile);

export const hasPromtool = (): boolean => inject("promtool") !== null;

/** Series by name and labels; a number stands for the whole time, a list for one value a minute. */
export type Series = Readonly<Record<string, number | readonly number[]>>;

export interface Expectation {
  readonly expr: string;
  readonly atMinute: number;
  /** Labels, as Prometheus writes them, and value. */
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

/** Rejects with what promtool says. `groups` is the `spec` of a PrometheusRule. */
export const checkRules = (groups: object): Promise<string> =>
  withFiles({ "rules.yaml": groups }, (folder) => promtool(["check", "rules", join(folder, "rules.yaml")]));

/** Rejects with what differed. */
export const testRules = (groups: object, series: Series, minutes: number, expected: readonly Expectation[]) => {
  const tests = {
    rule_files: ["rules.yaml"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: Object.entries(series).map(([name, values]) => ({
          series: name,
          values: notation(values, minutes),
        })),
        promql_expr_test: expected.map(({ expr, atMinute, samples }) => ({
          expr,
          eval_time: `${atMinute}m`,
          exp_samples: samples.map(([labels, value]) => ({ labels, value: Number.isFinite(value) ? value : ".inf" })),
        })),
      },
    ],
  };
  return withFiles({ "rules.yaml": groups, "tests.yaml": tests }, (folder) =>
    promtool(["test", "rules", join(folder, "tests.yaml")]),
  );
};

export const checkMetrics = (scrape: string): Promise<string> => promtool(["check", "metrics"], scrape);

/** Infinity cannot be multiplied there. */
const notation = (values: number | readonly number[], minutes: number): string => {
  if (values === Number.POSITIVE_INFINITY) return "inf ".repeat(minutes + 1).trim();
  return typeof values === "number"
    ? `${values}x${minutes}`
    : values.map((value) => (Number.isNaN(value) ? "_" : value)).join(" ");
};

const promtool = async (args: readonly string[], input = ""): Promise<string> => {
  const running = exec(inject("promtool") ?? "promtool", [...args]);
  running.child.stdin?.end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stdout}${stderr}`, { cause: error });
  }
};

/** JSON is YAML; promtool reads infinity only as `.inf`, without quotes. */
const withFiles = async <T>(
  files: Readonly<Record<string, object>>,
  use: (folder: string) => Promise<T>,
): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), "sell-sink-rules-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), JSON.stringify(content).replaceAll('".inf"', ".inf"));
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
