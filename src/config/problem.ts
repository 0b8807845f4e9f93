/** What may be wrong with a configuration, as one sentence with a place. */

export interface Problem {
  /** `routes[1].key`; empty for the file as a whole. */
  readonly path: string;
  /** Line in the YAML file, from 1; null when the file could not be read. */
  readonly line: number | null;
  /** What is wrong and what to do; never holds a configured value that may be secret. */
  readonly message: string;
}

export type Path = readonly (string | number)[];

/** Two settings that are each in order, but not together. */
export interface CrossFieldFault {
  readonly path: Path;
  readonly message: string;
  readonly severity: "error" | "warning";
}

/** `["routes", 1, "key"]` as `routes[1].key`. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");

/** One line a problem, in the order of the file. */
export const problemLines = (problems: readonly Problem[]): string[] =>
  problems
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ path, line, message }) => {
      const place = [path, line === null ? "" : `(line ${line})`].filter(Boolean).join(" ");
      return place === "" ? message : `${place}: ${message}`;
    });
