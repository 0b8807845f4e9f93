/** `node --import` this with PLANTED set to the name of a bug: the process has it from its first module on. */
import { BUGS_OF_THE_WIRE } from "./bugs.ts";
import { plantEverywhere } from "./plant.ts";

const name = process.env["PLANTED"] ?? "";
const patches = new Map(Object.entries(BUGS_OF_THE_WIRE)).get(name);
if (patches === undefined) throw new Error(`there is no bug "${name}"`);
plantEverywhere({ patches });
