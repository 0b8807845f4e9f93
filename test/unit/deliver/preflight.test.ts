/** What the mapping relies on, compared with the account before anything is written. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Entity } from "../../../src/domain/mutation.ts";
import type { TargetUse } from "../../../src/domain/target-use.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type SandboxOptions, startSandbox } from "../../../src/sandbox/index.ts";
import { anError, aSell, aTarget, json } from "./support.ts";

const where = 'Route "r"';
const use = (entity: Entity, what: TargetUse["what"]): TargetUse => ({ entity, where, what });
const key = (entity: Entity) => use(entity, { kind: "key" });
const field = (name: string, ...values: string[]) => use("accounts", { kind: "custom-field", name, values });
const owner = (email: string | null) => use("accounts", { kind: "owner", email });
const stage = (name: string | null, pipeline: string | null = null) =>
  use("deals", { kind: "stage", stage: name, pipeline });

const problemsOf = async (uses: readonly TargetUse[], options: SandboxOptions = {}, config = {}) => {
  const sandbox = await startSandbox(
    { rate: { profile: "none" }, ...options },
    { clock: systemClock, random: () => 0.5 },
  );
  onTestFinished(() => sandbox.close());
  const { preflight, permits } = aTarget({ baseUrl: sandbox.url, ...config });
  const problems = await preflight(uses);
  const calls = sandbox.log();
  expect(permits(), "each question takes a permit").toBe(calls.length);
  expect(calls.every(({ method }) => method === "GET")).toBe(true);
  return { problems, calls, messages: problems.map(({ severity, message }) => `${severity}: ${message}`) };
};

describe("an account that fits", () => {
  test("has no problems, and is asked once for what several routes rely on", async () => {
    const uses = [key("accounts"), key("contacts"), key("deals"), key("products"), key("orders")];
    const more = [
      field("customer_group", "retail"),
      owner("sales@example.com"),
      owner(null),
      stage("Won"),
      stage(null),
    ];
    const { problems, calls } = await problemsOf([...uses, ...more]);
    expect(problems).toEqual([]);
    expect(calls.map(({ path }) => path).sort()).toEqual([
      "/v2/contact/custom_fields",
      "/v2/contacts",
      "/v2/deal/custom_fields",
      "/v2/deals",
      "/v2/pipelines",
      "/v2/stages",
      "/v2/users",
    ]);
  });

  test("of which nothing is used is asked nothing", async () => {
    expect((await problemsOf([key("products")])).calls).toEqual([]);
  });
});

describe("found at once", () => {
  test.each([
    [
      "a key field that is missing",
      [key("accounts")],
      'Sell has no custom field "ERP ID" on contacts',
      { keyField: "ERP ID" },
    ],
    [
      "a key field of a type nobody can filter by",
      [key("accounts")],
      'by the custom field "remarks" (text)',
      { keyField: "remarks" },
    ],
    ["an unknown field", [field("customer_grup")], "did you mean customer_group?", {}],
    [
      "a choice that does not exist",
      [field("customer_group", "retail", "bulk")],
      '"bulk" is no choice of "customer_group"; Sell has retail, wholesale, key account.',
      {},
    ],
    [
      "an owner nobody knows",
      [owner("eve@example.com")],
      "of eve@example.com Sell says: no user has this e-mail address",
      {},
    ],
    [
      "a stage that does not exist",
      [stage("Wonn")],
      'of stage "Wonn" Sell says: there is no stage of this name; it has Incoming,',
      {},
    ],
    ["a pipeline that does not exist", [stage(null, "Service")], 'no pipeline "Service"; it has Sales pipeline.', {}],
  ] as const)("%s", async (_name, uses, sentence, config) => {
    const { messages } = await problemsOf(uses, {}, config);
    expect(messages).toEqual([expect.stringContaining(sentence)]);
    expect(messages[0]).toMatch(/^error: /);
  });

  test("a key field that is not marked filterable", async () => {
    const customFields = { contact: [{ name: "erp_id", type: "string", filterable: false }] } as const;
    const { messages } = await problemsOf([key("accounts")], { customFields: { contact: [...customFields.contact] } });
    expect(messages).toEqual([expect.stringContaining("marked filterable in Sell's settings")]);
  });

  test("a field of persons only, written to companies", async () => {
    const sell = await aSell(({ url }, response) => {
      const fields = [{ name: "birthday", type: "date", for_company: false, for_contact: true }];
      if (url.includes("custom_fields"))
        return json(response, 200, { items: fields.map((data) => ({ data })), meta: {} });
    });
    const { preflight } = aTarget({ baseUrl: sell.url });
    expect(await preflight([field("birthday")])).toMatchObject([
      { message: expect.stringContaining("not for companies") },
    ]);
  });

  test("all problems of all routes", async () => {
    const { messages } = await problemsOf([field("a"), field("b"), owner("eve@example.com"), stage("x")]);
    expect(messages).toHaveLength(4);
  });
});

describe("what cannot be read", () => {
  test("is a warning, not a refusal: the user may still write", async () => {
    const sell = await aSell((_, response) => json(response, 403, anError("insufficient_scope")));
    const { preflight } = aTarget({ baseUrl: sell.url });
    const problems = await preflight([key("accounts"), field("x"), owner("eve@example.com"), stage("Won")]);
    expect(problems.map(({ severity }) => severity)).toEqual(Array(5).fill("warning"));
  });

  test("because the server is away is waited for", async () => {
    const sell = await aSell((_, response) => json(response, 502, "<html>"));
    const { preflight } = aTarget({ baseUrl: sell.url });
    await expect(preflight([key("accounts")])).rejects.toMatchObject({ code: "SELL_UNREACHABLE", retriable: true });
  });
});
