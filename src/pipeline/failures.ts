/** Records that become dead letters: how many are on their way, and whether a topic has so many of them that it stops. */
import { MassFailure, type MassFailureLimits } from "../dead-letter/mass-failure.ts";
import type { Errant } from "../domain/change.ts";
import type { ConsumerRecord } from "../domain/record.ts";
import type { ErrantRecordReporter } from "../domain/stages.ts";
import type { Emit } from "../telemetry/events.ts";

export interface FailuresDeps {
  readonly deadLetters: ErrantRecordReporter;
  readonly massFailure: MassFailureLimits;
  readonly emit: Emit;
  /** A topic stopped. */
  readonly stopped: () => void;
}

export class Failures {
  /** As it was given, and counted. */
  readonly deadLetters: ErrantRecordReporter;
  readonly #massFailure: MassFailure;
  /** Records that are dead letters, or will be: they do not count as worked off when they settle. */
  readonly #buried = new WeakSet<ConsumerRecord>();
  #underWay = 0;
  #lastMessage = "";

  constructor({ deadLetters, massFailure, emit, stopped }: FailuresDeps) {
    this.deadLetters = this.#counted(deadLetters);
    this.#massFailure = new MassFailure(massFailure, (topic, failures) => {
      emit("mass-failure", { topic, failures, outOf: massFailure.outOf, message: this.#lastMessage });
      stopped();
    });
  }

  /** Dead letters that are being written: a hand-over waits for them, or the next owner would write them again. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Whether the record may become a dead letter; false when its topic has stopped. */
  admits(record: ConsumerRecord, { message }: Errant): boolean {
    this.#lastMessage = message;
    this.#buried.add(record);
    return this.#massFailure.admits(record.position.topic);
  }

  /** All that the record gave is settled. */
  workedOff(record: ConsumerRecord): void {
    if (!this.#buried.has(record)) this.#massFailure.passed(record.position.topic);
  }

  isStopped(topic: string): boolean {
    return this.#massFailure.isStopped(topic);
  }

  #counted(reporter: ErrantRecordReporter): ErrantRecordReporter {
    return {
      report: async (record, ...why) => {
        this.#buried.add(record);
        this.#underWay += 1;
        try {
          await reporter.report(record, ...why);
        } finally {
          this.#underWay -= 1;
        }
      },
    };
  }
}
