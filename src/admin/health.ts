/** What the probes ask. */

export type Check = { readonly ok: true } | { readonly ok: false; readonly why: string };

export interface Health {
  /**
   * The pipeline's own loop moves. Looks only inwards: Kafka, Redis, Sell, lag and quota must never restart a process,
   * since a restart repairs none of them.
   */
  readonly live: Check;
  /** Joined the group once and not draining. Lag, a used-up quota or a Redis blip do not make it unready. */
  readonly ready: Check;
  /** The configuration is good and the group was joined once, or is still being tried. */
  readonly started: Check;
}
