/** Which running replica a command asks, and how often. */
import { InvalidArgumentError } from "commander";
import type { Config } from "../config/spec.ts";

const LOCAL = "http://127.0.0.1:8080";

/** Of the configuration, seen from the same machine; null: the usual one. */
export const adminUrlOf = (config: Pick<Config, "admin"> | null): string => {
  if (config === null) return LOCAL;
  const { host, port } = config.admin;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
};

export const urlOption = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw new InvalidArgumentError("It must be an address like http://127.0.0.1:8080.");
};

export const secondsOption = (text: string): number => {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= 3_600) return seconds;
  throw new InvalidArgumentError("It must be a whole number from 1 to 3600.");
};
