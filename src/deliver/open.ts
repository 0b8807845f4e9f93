/** What must be known before the first write: that the token is good, whose account it is, and which dialect is spoken. */
import { ConnectorError } from "../domain/errors.ts";
import type { Halt, Throttle } from "../domain/receipt.ts";
import type { Permit } from "../domain/stages.ts";
import { retryHint } from "../lib/retry-hint.ts";
import type { Emit } from "../telemetry/events.ts";
import { parseJson } from "./call.ts";
import type { SellConfig } from "./config.ts";
import type { Credential } from "./credential.ts";
import { haltOf } from "./halts.ts";
import { isSuccess, refusal } from "./reading.ts";
import { isId, isRecord } from "./resources.ts";
import type { Exchange, Reply, WireRequest } from "./wire.ts";

export type Dialect = "bulk" | "core";

export interface Opened {
  readonly account: string;
  readonly accountId: number;
  readonly dialect: Dialect;
}

export interface Opening {
  readonly config: SellConfig;
  readonly credential: Credential;
  /** One exchange with the token of now, which it tells. */
  readonly talk: (
    request: WireRequest,
    signal: AbortSignal,
  ) => Promise<{ readonly exchange: Exchange; readonly token: string }>;
  readonly permit: () => Promise<Permit>;
  /** The gate hears of a 429 at the start like of any other; the next permit then waits. */
  readonly tell: (throttle: Throttle, permit: Permit) => Promise<void>;
  readonly emit: Emit;
}

export const openSell = async (opening: Opening, signal: AbortSignal): Promise<Opened> => {
  const { account, accountId } = await readAccount(opening, signal);
  const { dialect } = opening.config;
  return { account, accountId, dialect: dialect === "auto" ? await probeDialect(opening, signal) : dialect };
};

const SELF: WireRequest = { method: "GET", path: "/v2/accounts/self", body: null };

const readAccount = async (opening: Opening, signal: AbortSignal) => {
  const reply = await ask(SELF, () => false, opening, signal);
  const { baseUrl, account: expected } = opening.config;
  const json = parseJson(reply.body);
  const data = isRecord(json) ? json["data"] : undefined;
  if (!isRecord(data) || !isId(data["id"])) {
    throw new ConnectorError("SELL_UNREADABLE", `${baseUrl} does not answer like Zendesk Sell: check sell.baseUrl.`, {
      retriable: false,
    });
  }
  const accountId = data["id"];
  const account = typeof data["name"] === "string" && data["name"] !== "" ? data["name"] : String(accountId);
  if (expected !== undefined && String(expected) !== String(accountId) && expected !== account) {
    throw new ConnectorError(
      "WRONG_ACCOUNT",
      `The token of ${opening.credential.name} belongs to the Sell account "${account}" (${accountId}), but sell.account ` +
        `is ${JSON.stringify(expected)}: correct one of the two.`,
      { retriable: false },
    );
  }
  return { account, accountId };
};

/** An empty list writes nothing: a bulk endpoint refuses it with 400, where there is none the path is unknown. */
const PROBE: WireRequest = {
  method: "POST",
  path: "/api/v2/bulk/accounts",
  body: '{"items":[],"meta":{"type":"collection","operation":"upsert","count":0}}',
};

const probeDialect = async (opening: Opening, signal: AbortSignal): Promise<Dialect> => {
  const { status } = await ask(PROBE, (refused) => refused === 400 || refused === 404, opening, signal);
  if (isSuccess(status)) {
    throw new ConnectorError(
      "DIALECT_UNCLEAR",
      `${opening.config.baseUrl} answered HTTP ${status} to an empty bulk request: set sell.dialect to bulk or core.`,
      { retriable: false },
    );
  }
  const dialect = status === 400 ? "bulk" : "core";
  opening.emit("dialect-probed", { dialect, code: String(status) });
  return dialect;
};

/** Asks until there is an answer: a success, or a refusal that `isAnswer` expects. Each try takes a permit. */
export const ask = async (
  request: WireRequest,
  isAnswer: (status: number) => boolean,
  opening: Opening,
  signal: AbortSignal,
): Promise<Reply> => {
  for (;;) {
    const permit = await opening.permit();
    const { exchange, token } = await opening.talk(request, signal);
    if (exchange.kind !== "reply") throw unreachable(exchange.cause, opening);
    if (isSuccess(exchange.status)) return exchange;

    const { throttle, halt } = refusal(exchange, false, 1);
    if (throttle) {
      await opening.tell(retryHint(exchange.headers, exchange.body), permit);
      continue;
    }
    if (isAnswer(exchange.status) && (halt !== "configuration" || exchange.status === 404)) return exchange;
    if (halt === null) throw unreachable(`HTTP ${exchange.status}`, opening);
    if (halt !== "configuration" && (await opening.credential.refused(token))) continue;
    throw stopped(halt, exchange.status, request, opening);
  }
};

const unreachable = (cause: string, { config: { baseUrl } }: Opening): ConnectorError =>
  new ConnectorError(
    "SELL_UNREACHABLE",
    `Zendesk Sell at ${baseUrl} does not answer as it should (${cause}); trying again.`,
    {
      retriable: true,
    },
  );

const stopped = (kind: Halt["kind"], status: number, { path }: WireRequest, opening: Opening): ConnectorError => {
  const { credential, config } = opening;
  const { message } = haltOf(kind, status, { credential, baseUrl: config.baseUrl, path, subject: "accounts/self" });
  return new ConnectorError(CODES[kind], message, { retriable: false });
};

const CODES: { readonly [K in Halt["kind"]]: string } = {
  auth: "SELL_AUTH",
  rights: "SELL_RIGHTS",
  configuration: "SELL_CONFIGURATION",
  blocked: "SELL_BLOCKED",
};
