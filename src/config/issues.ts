/** Turns the schema library's issues into sentences: the setting, what is wrong with it, and what it is for. */
import type { z } from "zod";
import { nearest } from "../lib/nearest.ts";
import type { Path } from "./problem.ts";
import { type SchemaNode, schemasAt } from "./schema-node.ts";

export interface Finding {
  readonly path: Path;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** One finding a fault; an unknown key is a finding of its own. `at` is the path of the value that was parsed. */
export const findings = (issues: readonly Issue[], root: SchemaNode, at: Path): readonly Finding[] =>
  issues.flatMap((issue) => {
    const path = [...at, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, root));
    if (issue.input === undefined && issue.code !== "custom")
      return [{ path, message: withPurpose("is missing", path, root) }];
    if (issue.code === "invalid_union") {
      const branch = closestBranch(issue.errors);
      if (branch !== null) return findings(branch, root, path);
      const said = issue.message === "Invalid input" ? "has none of the allowed forms" : issue.message;
      return [{ path, message: withPurpose(said, path, root) }];
    }
    return [{ path, message: withPurpose(sentence(issue), path, root) }];
  });

/** Of a union's alternatives the one the value most likely meant: fewest faults, none of them about the value's type. */
const closestBranch = (branches: readonly (readonly Issue[])[]): readonly Issue[] | null =>
  branches
    .filter(
      (issues) => issues.length > 0 && !issues.some(({ code, path }) => code === "invalid_type" && path.length === 0),
    )
    .toSorted((a, b) => faultCount(a) - faultCount(b))[0] ?? null;

const faultCount = (issues: readonly Issue[]): number =>
  issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 1), 0);

const unknownKey = (path: Path, key: string, root: SchemaNode): Finding => {
  const names = schemasAt(root, path).flatMap(({ properties }) => Object.keys(properties ?? {}));
  const meant = nearest(key, names);
  const next = meant === null ? `known here: ${names.toSorted().join(", ")}` : `did you mean ${meant}?`;
  return { path: [...path, key], message: `is not a setting; ${next}` };
};

const sentence = (issue: Issue): string => {
  if (issue.code === "invalid_type") {
    return issue.message.replace(/^Invalid input: expected (\S+), received (\S+)$/, "must be $1, not $2");
  }
  return issue.message.replace(/^(Invalid|Too)/, (word) => word.toLowerCase());
};

const withPurpose = (message: string, path: Path, root: SchemaNode): string => {
  const purpose = schemasAt(root, path).find(({ description }) => description !== undefined)?.description;
  return purpose === undefined ? `${message}.` : `${message}. ${purpose}`;
};
