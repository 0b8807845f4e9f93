/** The only place that rolls dice. Everything else takes `random` as an argument, so that tests can load them. */

/** [0, 1). */
export const systemRandom: () => number = Math.random;
