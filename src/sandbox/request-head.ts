/** The headers that Sell insists on. */
import type { IncomingMessage } from "node:http";
import type { Problem } from "./reply.ts";

/** The bearer token, or empty. */
export const tokenOf = ({ headers }: IncomingMessage): string =>
  /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";

/** Why a request is refused before anybody looks at it. */
export interface HeaderProblem {
  readonly status: number;
  readonly problem: Problem;
}

/** `tokens` null: any token will do. */
export const headerProblem = (
  { headers }: IncomingMessage,
  method: string,
  token: string,
  tokens: readonly string[] | null,
): HeaderProblem | null => {
  if (isBlankText(headers["user-agent"])) return { status: 400, problem: { code: "invalid_user_agent" } };
  const accepts = /application\/json|\*\/\*/.test(headers.accept ?? "");
  if (!accepts) return { status: 406, problem: { code: "not_acceptable" } };
  const hasBody = method === "POST" || method === "PUT";
  if (hasBody && !/^application\/json\b/.test(headers["content-type"] ?? "")) {
    return { status: 400, problem: { code: "invalid_header", details: "Content-Type must be application/json" } };
  }
  if (token === "" || (tokens !== null && !tokens.includes(token))) {
    return { status: 401, problem: { code: "unauthorized" } };
  }
  return null;
};

const isBlankText = (text: string | undefined): boolean => text === undefined || text.trim() === "";
