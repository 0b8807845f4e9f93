/**
 * People's names for what Sell knows by id: users by e-mail address, stages by pipeline and name. The lists are read rarely,
 * with the permits of the writes that need them, and kept in memory.
 */
import type { Fields, FieldValue } from "../domain/mutation.ts";
import type { Outcome, Write } from "../domain/receipt.ts";
import type { Clock } from "../lib/clock.ts";
import { type Call, forAll, type Json, stepDone, unknown } from "./call.ts";
import { Listing } from "./listing.ts";
import { isId, isRecord } from "./resources.ts";

interface User {
  readonly id: number;
  readonly email: string;
  readonly isActive: boolean;
}

interface Pipeline {
  readonly id: number;
  readonly name: string;
}

interface Stage {
  readonly id: number;
  readonly name: string;
  readonly pipelineId: number;
}

/** What is known is good for so long; */
const GOOD_MS = 3_600_000;
/** for what is not in the list it is read again, but no more often than this. */
const AGAIN_MS = 300_000;

/** An id; or why there is none, as a clause that quotes nothing of a record. */
type Found = { readonly id: number } | { readonly why: string };

export class Directory {
  readonly users: Listing<User>;
  readonly pipelines: Listing<Pipeline>;
  readonly stages: Listing<Stage>;

  constructor(clock: Clock) {
    this.users = new Listing("/v2/users", readUser, clock);
    this.pipelines = new Listing("/v2/pipelines", readPipeline, clock);
    this.stages = new Listing("/v2/stages", readStage, clock);
  }

  owner(email: string): Found {
    const wanted = email.trim().toLowerCase();
    const users = this.users.items.filter((user) => user.email.toLowerCase() === wanted);
    const active = users.find(({ isActive }) => isActive);
    if (active !== undefined) return { id: active.id };
    return { why: users.length > 0 ? "the user with this e-mail address is not active" : NO_USER };
  }

  hasPipeline(name: string): boolean {
    return this.pipelines.items.some((pipeline) => same(pipeline.name, name));
  }

  /** Of all pipelines when that is null. */
  stagesOf(pipeline: string | null): readonly Stage[] {
    if (pipeline === null) return this.stages.items;
    const ids = this.pipelines.items.filter(({ name }) => same(name, pipeline)).map(({ id }) => id);
    return this.stages.items.filter(({ pipelineId }) => ids.includes(pipelineId));
  }

  /** `pipeline` null: whichever has a stage of that name, if only one has. */
  stage(name: string, pipeline: string | null): Found {
    if (pipeline !== null && !this.hasPipeline(pipeline)) return { why: "there is no pipeline of this name" };
    const [stage, ...others] = this.stagesOf(pipeline).filter((candidate) => same(candidate.name, name));
    if (stage === undefined) return { why: "there is no stage of this name" };
    return others.length === 0 ? { id: stage.id } : { why: "several pipelines have a stage of this name; name one" };
  }

  /**
   * The writes with ids in place of names, and the outcome of those that name what is not there; or the question that has to
   * be asked first, in place of all of them.
   */
  resolve(writes: readonly Write[]): Resolved | Call {
    const resolved: Write[] = [];
    const failed = new Map<number, Outcome>();
    for (const [index, write] of writes.entries()) {
      let { body } = write;
      for (const field of NAMED_FIELDS) {
        const name = nameIn(field, body[field]);
        if (name === null) continue;
        const found = name.kind === "owner" ? this.owner(name.email) : this.stage(name.stage, name.pipeline);
        const lists = name.kind === "owner" ? [this.users] : [this.pipelines, this.stages];
        const stale = lists.find(({ ageMs }) => ageMs > ("id" in found ? GOOD_MS : AGAIN_MS));
        if (stale !== undefined) return question(stale, writes.length);
        if ("id" in found) body = { ...body, [field]: found.id };
        else failed.set(index, nameless(field, found.why));
      }
      resolved.push(body === write.body ? write : { ...write, body });
    }
    return { writes: resolved, failed };
  }
}

export interface Resolved {
  /** Same order and length as asked for. */
  readonly writes: readonly Write[];
  /** By index. */
  readonly failed: ReadonlyMap<number, Outcome>;
}

const NO_USER = "no user has this e-mail address";

/** Only these fields hold names; elsewhere an object is the row's own. */
const NAMED_FIELDS = ["owner_id", "stage_id"] as const;

const nameIn = (field: (typeof NAMED_FIELDS)[number], value: FieldValue | undefined) => {
  if (!isFields(value)) return null;
  const { $owner: email, $stage: stage, $pipeline: pipeline } = value;
  if (field === "owner_id" && typeof email === "string") return { kind: "owner", email } as const;
  if (field === "owner_id" || typeof stage !== "string") return null;
  return { kind: "stage", stage, pipeline: typeof pipeline === "string" ? pipeline : null } as const;
};

const isFields = (value: FieldValue | undefined): value is Fields => isRecord(value);

const question = (listing: Listing<unknown>, writes: number): Call => {
  const { request, take } = listing.next();
  return {
    request,
    byId: false,
    read: ({ body }) => ({
      outcomes: forAll(writes, take(body) ? stepDone("looked-up", false) : unknown("reply-unreadable")),
      throttle: false,
      halt: null,
    }),
  };
};

const nameless = (field: string, why: string): Outcome => ({
  status: "rejected",
  reason: field === "owner_id" ? "unknown-owner" : "unknown-stage",
  message: `Sell cannot be told the record's ${field}: ${why}. Correct the row, the mapping or Sell, then replay the dead letter.`,
  httpStatus: 422,
  field,
});

const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

const readUser = ({ id, email, status }: Json): User | null =>
  isId(id) && typeof email === "string" ? { id, email, isActive: status !== "inactive" } : null;

const readPipeline = ({ id, name }: Json): Pipeline | null =>
  isId(id) && typeof name === "string" ? { id, name } : null;

const readStage = ({ id, name, pipeline_id: pipelineId }: Json): Stage | null =>
  isId(id) && typeof name === "string" && isId(pipelineId) ? { id, name, pipelineId } : null;
