/** The command line in this process: what a person would see of it. */
import { runProgram } from "../../src/cli/program.ts";

export const runCli = async (args: readonly string[], env: Readonly<NodeJS.ProcessEnv> = {}) => {
  let [out, err] = ["", ""];
  const code = await runProgram(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    hasColors: false,
    columns: null,
    failures: [],
    env,
    secrets: new Set(),
  });
  return { code, out, err };
};
