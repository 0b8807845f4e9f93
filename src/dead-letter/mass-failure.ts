/**
 * When most of a topic's records fail, it is not the records: a mapping is wrong, or a schema is not what the route says. Then
 * the topic stops before its content has moved into the dead letters. It goes on when the process is started again, which takes
 * a person who has looked; what fails after that counts anew.
 */

export interface MassFailureLimits {
  /** Records of a topic that are looked back on. */
  readonly outOf: number;
  /** Dead letters among them that are normal; one more stops the topic. As many as `outOf`: none ever does. */
  readonly moreThan: number;
}

/** The last records of one topic, oldest first; at most `outOf`. */
interface Past {
  readonly failed: boolean[];
  failures: number;
  isStopped: boolean;
}

export class MassFailure {
  readonly #limits: MassFailureLimits;
  readonly #onStopped: (topic: string, failures: number) => void;
  /** Bound: the topics that are read. */
  readonly #pasts = new Map<string, Past>();

  /** `onStopped` is called once a topic, with the failures among the last `outOf` records. */
  constructor(limits: MassFailureLimits, onStopped: (topic: string, failures: number) => void) {
    this.#limits = limits;
    this.#onStopped = onStopped;
  }

  isStopped(topic: string): boolean {
    return this.#pasts.get(topic)?.isStopped === true;
  }

  /** A record of the topic was worked off and is no dead letter. What a route skips is neither. */
  passed(topic: string): void {
    this.#add(topic, false);
  }

  /** A record of the topic failed. False: it must not become a dead letter, for too many others did. */
  admits(topic: string): boolean {
    const past = this.#add(topic, true);
    if (!past.isStopped && past.failures > this.#limits.moreThan) {
      past.isStopped = true;
      this.#onStopped(topic, past.failures);
    }
    return !past.isStopped;
  }

  #add(topic: string, failed: boolean): Past {
    let past = this.#pasts.get(topic);
    if (past === undefined) this.#pasts.set(topic, (past = { failed: [], failures: 0, isStopped: false }));
    if (past.isStopped) return past;
    past.failed.push(failed);
    if (failed) past.failures += 1;
    if (past.failed.length > this.#limits.outOf && past.failed.shift() === true) past.failures -= 1;
    return past;
  }
}
