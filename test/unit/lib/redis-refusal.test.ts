import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noteScriptCall, refusalOf } from "../../../src/lib/redis-refusal.ts";

/** As ioredis rejects: the server's words, and the command it sent. */
const answered = (message: string, name = "evalsha"): Error => Object.assign(new Error(message), { command: { name } });

const lua = `local a = 1\nlocal b = redis.call("HMGET", KEYS[1], "a")\nredis.pcall('ZADD', KEYS[2], 1, 'x')`;
const sha = createHash("sha1").update(lua).digest("hex");
const scriptsSet = { take: { sha, lua }, other: { sha: "0".repeat(40), lua: "" } };

const REFUSED = [
  ["NOPERM this user has no permissions to run the 'mget' command", "permission", "MGET"],
  ["NOPERM User u has no permissions to run the 'cluster|slots' command", "permission", "CLUSTER|SLOTS"],
  ["NOPERM No permissions to access a key", "key-permission", "EVALSHA"],
  ["NOAUTH Authentication required.", "login", "AUTH"],
  ["WRONGPASS invalid username-password pair or user is disabled.", "login", "AUTH"],
  ["READONLY You can't write against a read only replica.", "read-only", "EVALSHA"],
  ["OOM command not allowed when used memory > 'maxmemory'.", "out-of-memory", "EVALSHA"],
  [
    "MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.",
    "not-persisting",
    "EVALSHA",
  ],
  ["MOVED 3999 127.0.0.1:6381", "is-a-cluster", "EVALSHA"],
  ["ERR unknown command 'EVALSHA', with args beginning with:", "unknown-command", "EVALSHA"],
] as const;

describe("a refusal", () => {
  it.each(REFUSED)("%s", (message, reason, command) => {
    expect(refusalOf(answered(message))).toMatchObject({ reason, command });
  });

  it.each([
    `ERR The user executing the script can't run this command or subcommand script: ${sha}, on @user_script:2.`,
    `ERR Error running script (call to f_${sha}): @user_script:2: The user executing the script can't run this command or subcommand`,
  ])("of a call inside a script names that call: %s", (message) => {
    const error = answered(message);
    noteScriptCall(error, { scriptsSet });
    expect(refusalOf(error)).toEqual({
      reason: "permission",
      command: "HMGET",
      needs: "Give its ACL user +hmget and the other commands that the README lists.",
    });
  });

  it("can be what ended the connection, which is only a text", () => {
    expect(refusalOf("WRONGPASS invalid username-password pair")?.reason).toBe("login");
  });
});

describe("no refusal", () => {
  it.each([
    null,
    "ECONNREFUSED",
    answered("LOADING Redis is loading the dataset in memory"),
    new Error("Command timed out"),
  ])("%s", (error) => expect(refusalOf(error)).toBeNull());
});
