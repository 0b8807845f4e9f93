/**
 * Redis answers, but refuses a command: which one, and what would make it pass. Waiting does not help here, so whoever meets
 * a refusal says it to a person and, as with a Redis that is away, sends nothing meanwhile.
 */

export interface RedisRefusal {
  /** One of `REFUSAL_REASONS`. */
  readonly reason: string;
  /** In capitals; of a script the call inside it, where the server tells which. */
  readonly command: string;
  /** What a person can do, as a sentence. */
  readonly needs: string;
}

/** What ioredis puts on the errors that a server answered, and what we put beside it. */
interface ReplyError extends Error {
  readonly command?: { readonly name: string };
  scriptCall?: string;
}

const REFUSALS = [
  {
    reason: "key-permission",
    pattern: /permissions to access|can't access at least one of the keys/i,
    needs: () => "Give its ACL user the keys ~sell:*.",
  },
  {
    reason: "permission",
    pattern: /^NOPERM|no permissions to run|can't run this command/,
    needs: (command: string) =>
      `Give its ACL user +${command.toLowerCase()} and the other commands that the README lists.`,
  },
  { reason: "login", pattern: /^(NOAUTH|WRONGPASS)/, needs: () => "Check redis.username and redis.password." },
  {
    reason: "read-only",
    pattern: /READONLY/,
    needs: () => "This server is a replica: name the primary, or let redis.sentinels or redis.cluster find it.",
  },
  {
    reason: "wrong-type",
    pattern: /WRONGTYPE/,
    needs: () =>
      "Something else has written keys that begin with sell: there; delete them, or use a Redis or a database of its own.",
  },
  {
    reason: "out-of-memory",
    pattern: /OOM command/,
    needs: () => "Raise its maxmemory, or let it evict keys that expire: maxmemory-policy volatile-lru.",
  },
  {
    reason: "not-persisting",
    pattern: /MISCONF/,
    needs: () => "It cannot save to its disk: make room there, or switch saving off (sell-sink does not need it).",
  },
  {
    reason: "too-few-replicas",
    pattern: /NOREPLICAS/,
    needs: () => "Fewer replicas of it are in sync than its min-replicas-to-write asks for.",
  },
  {
    reason: "is-a-cluster",
    pattern: /^(MOVED|ASK|CROSSSLOT)/,
    needs: () => "This is a Redis Cluster: use redis.cluster in place of redis.url.",
  },
  {
    reason: "unknown-command",
    pattern: /unknown (redis )?(command|subcommand)/i,
    needs: () => "The server does not have it; use Redis 6.2 or later, or Valkey, with scripts.",
  },
] as const;

export const REFUSAL_REASONS: readonly string[] = REFUSALS.map(({ reason }) => reason);

/**
 * `error` is what a command rejected with, or the text of what ended the connection. Null when it is anything else: no
 * connection, no answer in time, a server that is still loading.
 */
export const refusalOf = (error: unknown): RedisRefusal | null => {
  const { message, command, scriptCall }: ReplyError = error instanceof Error ? error : new Error(String(error));
  const refusal = REFUSALS.find(({ pattern }) => pattern.test(message));
  if (refusal === undefined) return null;
  const named = /run the '([^']+)' command/.exec(message)?.[1];
  const name = refusal.reason === "login" ? "AUTH" : (named ?? scriptCall ?? command?.name ?? "commands").toUpperCase();
  return { reason: refusal.reason, command: name, needs: refusal.needs(name) };
};

/** Redis before 7 puts a script's error behind words of its own. */
export const isReadOnly = ({ message }: Error): boolean => /READONLY/.test(message);

/**
 * Redis before 7.2 does not name the command that a script may not call, only the script and the line. The client knows the
 * script's text: the call that stands in that line is put on the error.
 */
export const noteScriptCall = (error: ReplyError, { scriptsSet }: { readonly scriptsSet: object }): void => {
  const [, sha7, line7, sha6, line6] =
    /script: ([0-9a-f]{40}), on @user_script:(\d+)|f_([0-9a-f]{40})\): @user_script: ?(\d+)/.exec(error.message) ?? [];
  const sha = sha7 ?? sha6;
  if (sha === undefined) return;
  const script = Object.values(scriptsSet as Readonly<Record<string, Script>>).find((known) => known.sha === sha);
  const text = script?.lua.split("\n")[Number(line7 ?? line6) - 1] ?? "";
  const [, call] = /redis\.p?call\(\s*["'](\w+)["']/.exec(text) ?? [];
  if (call !== undefined) error.scriptCall = call;
};

interface Script {
  readonly sha: string;
  readonly lua: string;
}
