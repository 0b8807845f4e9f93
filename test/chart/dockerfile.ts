/** The Dockerfile as a parser reads it, for what can be said about an image without building one. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { DockerfileParser, type Instruction } from "dockerfile-ast";

export const ROOT = resolve(import.meta.dirname, "../..");

export const dockerfile = DockerfileParser.parse(readFileSync(resolve(ROOT, "Dockerfile"), "utf8"));

/** Flags and arguments of every instruction of this name, in order. */
export const instructions = (keyword: string): readonly string[] =>
  dockerfile
    .getInstructions()
    .filter((instruction: Instruction) => instruction.getKeyword() === keyword)
    .map((instruction) => unfolded(instruction.getTextContent().replace(/^\w+\s+/, "")));

/** Exec form: a JSON list, which no shell will read. Throws for anything else. */
export const execForm = (keyword: string): readonly string[] => JSON.parse(instructions(keyword).at(-1) ?? "");

const unfolded = (text: string): string => text.replace(/\\\n\s*/g, "");
