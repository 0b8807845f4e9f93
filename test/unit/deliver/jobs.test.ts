/** Asynchronous bulk requests: asked about inside the quota, at our own address only, and never taken for done before they are. */
import { expect, onTestFinished, test } from "vitest";
import type { Outcome, Write } from "../../../src/domain/receipt.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { type FaultOptions, startSandbox } from "../../../src/sandbox/index.ts";
import { aClock, anError, anOpenTarget, aSell, aWrite, json, never, writesOf } from "./support.ts";

const short = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) => (outcome.status === "accepted" ? outcome.result : `${outcome.status} ${outcome.reason}`));

const batchOf = (...writes: readonly Write[]) => ({ entity: "accounts", verb: "upsert", writes }) as const;

const aPair = async (fault?: FaultOptions) => {
  const sandbox = await startSandbox(
    { rate: { profile: "none" }, settings: { indexLagMs: 0, jobMs: 5 }, faults: fault === undefined ? [] : [fault] },
    { clock: systemClock, random: () => 0.5 },
  );
  onTestFinished(() => sandbox.close());
  const { target, permits } = await anOpenTarget({
    baseUrl: sandbox.url,
    dialect: "bulk",
    asyncJobs: true,
    jobTimeoutMs: 1_500,
  });
  return { sandbox, target, permits };
};

test("the results come from the job, and each question takes a permit", async () => {
  const { sandbox, target, permits } = await aPair();
  const before = permits();
  const bad = aWrite({ key: "2", body: { name: "" } });
  const { outcomes } = await target.send(batchOf(aWrite({ key: "1" }), bad, aWrite({ key: "3" })), never);
  expect(outcomes).toMatchObject([{ result: "created" }, { status: "rejected", field: "name" }, { result: "created" }]);
  const polls = sandbox.log().filter(({ path }) => path.startsWith("/api/v2/job_statuses/"));
  expect(polls.length).toBeGreaterThan(0);
  expect(permits() - before).toBe(polls.length);
});

test.each([
  ["stuck", "unknown job-pending"],
  ["failed", "unknown job-failed"],
] as const)("a job that is %s leaves every record unknown", async (job, outcome) => {
  const { target } = await aPair({ match: { path: "/api/v2/bulk/" }, job });
  const { outcomes } = await target.send(batchOf(...writesOf("1", "2")), never);
  expect(short(outcomes)).toEqual([outcome, outcome]);
});

test("without the setting a job is an unknown outcome, and nothing is asked", async () => {
  const sandbox = await startSandbox({ settings: { asyncBulk: true } }, { clock: systemClock, random: () => 0.5 });
  onTestFinished(() => sandbox.close());
  const { target } = await anOpenTarget({ baseUrl: sandbox.url });
  const { outcomes } = await target.send(batchOf(aWrite()), never);
  expect(short(outcomes)).toEqual(["unknown asynchronous-reply"]);
  expect(sandbox.log().some(({ path }) => path.includes("job_statuses"))).toBe(false);
});

/** A clock on which the time between two questions is over at once. */
const hurried = (): Clock => {
  const { clock } = aClock();
  return { ...clock, sleep: (ms, signal) => (ms <= 5_000 ? Promise.resolve() : clock.sleep(ms, signal)) };
};

/** A clock on which nothing takes time but the pauses between two questions. */
const pausing = (deadlines: readonly number[]) => {
  const { clock, advance } = aClock();
  const pauses: number[] = [];
  const sleep: Clock["sleep"] = (ms, signal) => {
    const slept = clock.sleep(ms, signal);
    if (deadlines.includes(ms)) return slept;
    pauses.push(ms);
    setImmediate(() => advance(ms));
    return slept;
  };
  return { clock: { ...clock, sleep }, pauses };
};

const aJob = (data: object) => ({ data: { id: "8f0c", status: "queued", results: null, ...data } });

const asked = async (polls: readonly (readonly [status: number, body: object])[], accepted: object = aJob({})) => {
  const questions: string[] = [];
  const answers = polls.values();
  const sell = await aSell(({ url }, response) => {
    if (url.startsWith("/api/v2/bulk/")) return json(response, 202, accepted, { Location: "http://127.0.0.1:1/steal" });
    questions.push(url);
    const [status, body] = answers.next().value ?? [500, {}];
    json(response, status, body);
  });
  const { target, told } = await anOpenTarget({ baseUrl: sell.url, asyncJobs: true }, hurried());
  const { outcomes } = await target.send(batchOf(aWrite()), never);
  return { outcome: short(outcomes)[0], questions, told };
};

test.each([
  ["that is forgotten", [[404, anError("not_found")]], "unknown job-gone"],
  ["in a state nobody knows", [[200, aJob({ status: "paused" })]], "unknown job-gone"],
  ["without results", [[200, aJob({ status: "completed" })]], "unknown job-failed"],
  ["whose results lack the record", [[200, aJob({ status: "completed", results: [] })]], "unknown verdict-missing"],
  [
    "behind errors and waits",
    [
      [502, {}],
      [200, aJob({ status: "working" })],
      [404, anError("not_found")],
    ],
    "unknown job-gone",
  ],
] as const)("a job %s is not taken for done", async (_name, polls, outcome) => {
  const { questions, ...result } = await asked(polls);
  expect(result.outcome).toBe(outcome);
  expect(questions, "asked at our own address").toEqual(polls.map(() => "/api/v2/job_statuses/8f0c"));
});

const atWork = (onQuestion = () => {}) =>
  aSell(({ url }, response) => {
    if (!url.startsWith("/api/v2/bulk/")) onQuestion();
    json(response, url.startsWith("/api/v2/bulk/") ? 202 : 200, aJob({ status: "working" }));
  });

test("a job that takes longer than a request may is followed up to a bound of its own, ever more rarely", async () => {
  const { clock, pauses } = pausing([900, 30_000]);
  const settings = { baseUrl: (await atWork()).url, asyncJobs: true, timeoutMs: 900, jobTimeoutMs: 30_000 };
  const { target, permits } = await anOpenTarget(settings, clock);
  const before = permits();
  const { outcomes } = await target.send(batchOf(aWrite()), never);
  expect(short(outcomes)).toEqual(["unknown job-pending"]);
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
  expect(permits() - before).toBeLessThanOrEqual(pauses.length);
});

test("a job is given up when the lease is over", async () => {
  let isOver = false;
  const sell = await atWork(() => {
    isOver = true;
  });
  const settings = { baseUrl: sell.url, asyncJobs: true };
  const { target } = await anOpenTarget(settings, hurried(), () => !isOver);
  const { outcomes } = await target.send(batchOf(aWrite()), never);
  expect(short(outcomes)).toEqual(["unknown job-pending"]);
  expect(sell.seen.filter(({ url }) => url.includes("job_statuses"))).toHaveLength(1);
});

test("a job is given up with the process", async () => {
  const stopping = new AbortController();
  const sell = await atWork(() => stopping.abort(new Error("stopping")));
  const { target } = await anOpenTarget({ baseUrl: sell.url, asyncJobs: true }, hurried());
  await expect(target.send(batchOf(aWrite()), stopping.signal)).rejects.toThrow("stopping");
  expect(sell.seen.filter(({ url }) => url.includes("job_statuses"))).toHaveLength(1);
});

test("a 429 in answer to a question goes to the gate", async () => {
  const { told, questions } = await asked([
    [429, { error: "rate_limit_exceeded", retry_after: 7 }],
    [404, anError("not_found")],
  ]);
  expect(told).toMatchObject([{ hintMs: 7_000 }]);
  expect(questions).toHaveLength(2);
});

test.each(["../../v2/contacts", "", 7, "a/b"])("an id like %j is not asked for", async (id) => {
  expect(await asked([], aJob({ id }))).toMatchObject({ outcome: "unknown job-gone", questions: [] });
});
