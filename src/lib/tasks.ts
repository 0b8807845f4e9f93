/** Owns the promises that nobody awaits, so that none fails unseen and all have ended before a close returns. */

export class Tasks {
  readonly #running = new Set<Promise<void>>();
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  own(task: Promise<void>): void {
    const owned = task.catch(this.#onFailure).finally(() => this.#running.delete(owned));
    this.#running.add(owned);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }
}
