/** Owners by e-mail address and stages by name: read rarely, with the permits of the writes that need them. */
import { describe, expect, test } from "vitest";
import type { Fields } from "../../../src/domain/mutation.ts";
import type { Outcome } from "../../../src/domain/receipt.ts";
import { aBatch, aClock, anOpenTarget, aSell, aWrite, bulkItems, json, never } from "./support.ts";

const USERS = [
  { id: 11, email: "Ann@example.com", status: "active" },
  { id: 12, email: "bob@example.com", status: "inactive" },
  { id: 13, email: null },
];
const PIPELINES = [
  { id: 1, name: "Sales" },
  { id: 2, name: "Renewals" },
];
const STAGES = [
  { id: 21, name: "Won", pipeline_id: 1 },
  { id: 22, name: "Won", pipeline_id: 2 },
  { id: 23, name: "Quote", pipeline_id: 2 },
];

const listOf = (records: readonly object[], next?: string) => ({
  items: records.map((data) => ({ data })),
  meta: { type: "collection", links: next === undefined ? {} : { next_page: next } },
});

const aCompany = async () => {
  const users: object[] = [...USERS];
  const questions: string[] = [];
  const sent: Fields[] = [];
  const sell = await aSell(({ url, method, body }, response) => {
    if (method === "GET") questions.push(url);
    if (url === "/v2/users?per_page=100") return json(response, 200, listOf(users.slice(0, 2), "http://elsewhere/"));
    if (url === "/v2/users?per_page=100&page=2") return json(response, 200, listOf(users.slice(2)));
    if (url.startsWith("/v2/pipelines")) return json(response, 200, listOf(PIPELINES));
    if (url.startsWith("/v2/stages")) return json(response, 200, listOf(STAGES));
    const items = bulkItems(body);
    sent.push(...items.map(({ data }) => data as Fields));
    json(response, 200, { items });
  });
  const { clock, advance } = aClock();
  const { target } = await anOpenTarget({ baseUrl: sell.url }, clock);
  const send = async (...bodies: readonly Fields[]): Promise<readonly Outcome[]> => {
    const writes = bodies.map((body, index) => aWrite({ entity: "deals", key: `O-${index}`, body }));
    for (;;) {
      const { outcomes } = await target.send(aBatch({ entity: "deals", writes }), never);
      if (outcomes.every(({ status }) => status !== "progress")) return outcomes;
    }
  };
  return { users, questions, sent, advance, send };
};

const owner = (email: string) => ({ owner_id: { $owner: email } });
const stage = (name: string, pipeline: string | null = null) => ({ stage_id: { $stage: name, $pipeline: pipeline } });

describe("names", () => {
  test("become ids; the lists are read once, page by page, at our own address", async () => {
    const { send, sent, questions } = await aCompany();
    await send({ ...owner("ann@example.com"), ...stage("won", "Renewals") }, stage("Quote"));
    await send(owner("ANN@example.com"));
    expect(sent).toMatchObject([{ owner_id: 11, stage_id: 22 }, { stage_id: 23 }, { owner_id: 11 }]);
    expect(questions).toEqual([
      "/v2/users?per_page=100",
      "/v2/users?per_page=100&page=2",
      "/v2/pipelines?per_page=100",
      "/v2/stages?per_page=100",
    ]);
  });

  test.each([
    [owner("nobody@example.com"), "unknown-owner", "no user has this e-mail address"],
    [owner("bob@example.com"), "unknown-owner", "is not active"],
    [stage("Lost"), "unknown-stage", "no stage of this name"],
    [stage("Won"), "unknown-stage", "several pipelines have a stage of this name"],
    [stage("Won", "Service"), "unknown-stage", "no pipeline of this name"],
  ])("%j makes a dead letter of that record alone, and quotes nothing of it", async (body, reason, why) => {
    const { send, sent } = await aCompany();
    const outcomes = await send(body, owner("ann@example.com"));
    expect(outcomes).toMatchObject([{ status: "rejected", reason }, { status: "accepted" }]);
    expect(outcomes[0]).toMatchObject({ message: expect.stringContaining(why) });
    expect(JSON.stringify(outcomes[0])).not.toContain("@example.com");
    expect(sent).toHaveLength(1);
  });

  test("that are not known are asked for again after a while, all of them after an hour", async () => {
    const { users, send, sent, questions, advance } = await aCompany();
    await send(owner("new@example.com"));
    users.push({ id: 14, email: "new@example.com", status: "active" });
    expect(await send(owner("new@example.com"))).toMatchObject([{ status: "rejected" }]);
    expect(questions).toHaveLength(2);
    advance(300_001);
    expect(await send(owner("new@example.com"))).toMatchObject([{ status: "accepted" }]);
    expect(sent).toMatchObject([{ owner_id: 14 }]);
    advance(3_600_001);
    await send(owner("new@example.com"));
    expect(questions).toHaveLength(6);
  });

  test("are read in these fields only: an object elsewhere is the row's own", async () => {
    const { send, sent } = await aCompany();
    const body = { custom_fields: { a: { $owner: "ann@example.com" } }, name: { $stage: "Won", $pipeline: null } };
    await send(body);
    expect(sent).toMatchObject([body]);
  });
});
