/** `sell-sink skip`: one record goes to the dead letters, so that its partition goes on. */
import { asSkip, SKIP_LIFE_MS, type SkipAnswer, type SkipPlace, skipField } from "../control/notes.ts";
import { replayTopicOf } from "../dead-letter/letter.ts";
import { usageError } from "../domain/errors.ts";
import { positionName } from "../domain/record.ts";
import { systemClock } from "../lib/clock.ts";
import { nearest } from "../lib/nearest.ts";
import { printable } from "../telemetry/text.ts";
import { topicsOf } from "../wiring/topic-formats.ts";
import { type AtBoard, atBoard, type BoardOptions, boardOptions } from "./at-board.ts";
import { confirmed } from "./confirm.ts";
import { withExamples } from "./examples.ts";
import { EXIT } from "./exit.ts";
import type { Register } from "./register.ts";
import type { Terminal } from "./terminal.ts";

const INTRO = `
For a partition that stands still at one record: one at which Sell fails again and again, whose schema cannot be read, or that
waits for something that will never come. The owner of the partition writes it to the dead letters with the reason skipped, and
goes on; sell-sink dlq replay brings it back. Only this record is concerned: older and newer changes of its key are sent.
What is on the wire ends first. If nobody knows whether Sell took it, its key stays locked for sell.lateApplyMaxMs, so that no
other version of it can be overtaken.
The position is in the log (record-stalled, record-isolated): topic[partition]@offset.
`;

interface Options extends BoardOptions {
  readonly why: string;
  readonly yes?: true;
}

/** The owner's answer, or what kept it from coming. */
type Result = { readonly answer: SkipAnswer | "unanswered" | "unfinished"; readonly by: string };

const POLL_MS = 200;
/** After the owner has taken it up: its own tries, and the dead letter. */
const TAKEN_MAX_MS = SKIP_LIFE_MS + 10_000;

export const skipCommand: Register = (program, terminal, done) => {
  const command = program
    .command("skip <topic> <partition> <offset>")
    .description("take one record to the dead letters, to release the partition that it holds")
    .requiredOption("--why <text>", "the reason, for those who look at it later")
    .option("-y, --yes", "do not ask");
  boardOptions(command).action(async (topic: string, partition: string, offset: string, options: Options) => {
    const place = placeOf(topic, partition, offset);
    done(await atBoard(options, terminal, (context) => skip(context, place, options, terminal)));
  });
  withExamples(command, {
    intro: INTRO,
    examples: [
      [`sell-sink skip -c config.yaml erp.sales.customers 3 1041 --why "Zendesk ticket 4711"`, "asks first"],
      [`sell-sink skip -c config.yaml erp.sales.customers 3 1041 --why "Zendesk ticket 4711" --yes`],
    ],
    exits: "0 it is in the dead letters, 1 it is not, 2 wrong usage or configuration",
  });
};

const placeOf = (topic: string, partition: string, offset: string): SkipPlace => {
  if (!/^\d{1,9}$/.test(partition)) throw usageError(`${partition} is no partition: it is a whole number from 0.`);
  if (!/^\d{1,18}$/.test(offset)) throw usageError(`${offset} is no offset: it is a whole number from 0.`);
  return { topic, partition: Number(partition), offset: BigInt(offset) };
};

const skip = async (context: AtBoard, place: SkipPlace, options: Options, terminal: Terminal): Promise<number> => {
  const { config, signal } = context;
  const topics = [...topicsOf(config), replayTopicOf(config.deadLetter.topic)];
  if (!topics.includes(place.topic)) {
    const meant = nearest(place.topic, topics);
    throw usageError(
      `No route reads ${place.topic}; ${meant === null ? `they read ${topics.join(", ")}` : `did you mean ${meant}?`}`,
    );
  }
  const name = positionName(place);
  if (options.yes !== true) {
    const question = `Take ${name} to the dead letters? Its change does not reach Sell unless it is replayed.`;
    const answer = await confirmed(question, signal);
    if (answer === null) throw usageError("Nobody can be asked here: say --yes.");
    if (!answer) {
      terminal.err("Nothing was done.\n");
      terminal.failures.push({ code: "DECLINED", message: "Nothing was done." });
      return EXIT.failed;
    }
  }
  const result = await ask(context, place, options);
  if (options.json) terminal.out(`${JSON.stringify({ position: name, ...result })}\n`);
  else (result.answer === "done" ? terminal.out : terminal.err)(`${printable(sentence(name, result))}\n`);
  return result.answer === "done" ? EXIT.done : EXIT.failed;
};

/** The note is gone when this ends, unless a replica still works at it. */
const ask = async ({ board, signal }: AtBoard, place: SkipPlace, { who, why }: Options): Promise<Result> => {
  const field = skipField(place);
  const asked = await board.put(field, { state: "asked", who, why });
  const askedMs = systemClock.monotonicMs();
  try {
    for (;;) {
      await systemClock.sleep(POLL_MS, signal);
      const note = asSkip((await board.look()).notes.get(field));
      const waitedMs = systemClock.monotonicMs() - askedMs;
      if (note?.content.state === "told") {
        await board.swap(field, note.revision, null);
        return note.content;
      }
      if (note?.content.state === "taken" && waitedMs > SKIP_LIFE_MS + TAKEN_MAX_MS)
        return { answer: "unfinished", by: note.content.by };
      // Taken back in one step with the look: a replica that takes it up in the same moment is waited for.
      const isOver = note === null || (note.content.state === "asked" && waitedMs > SKIP_LIFE_MS);
      if (isOver && (note === null || (await board.swap(field, asked, null)) !== false))
        return { answer: "unanswered", by: "" };
    }
  } catch (error) {
    if (signal.aborted) await board.swap(field, asked, null);
    throw error;
  }
};

const sentence = (name: string, { answer, by }: Result): string => {
  switch (answer) {
    case "done":
      return `${name} is in the dead letters (skipped), and its partition goes on; sell-sink dlq replay brings it back.`;
    case "settled":
      return `${name} does not wait any more: it was accepted, skipped or is a dead letter already.`;
    case "ahead":
      return `${name} was not read yet, or there is nothing at that offset: an earlier record of its partition is what holds it.`;
    case "busy":
      return `${name} is on the wire, or on its way to the dead letters, and stays so; look at the log of ${by}, and try again.`;
    case "moved":
      return `The partition of ${name} went to another replica meanwhile; try again.`;
    case "unanswered":
      return `No replica answered: none runs, or none has the partition of ${name} yet. Nothing was done; try again.`;
    case "unfinished":
      return `${by} has taken it up and is not done: the dead letter of ${name} cannot be written. See its log.`;
  }
};
