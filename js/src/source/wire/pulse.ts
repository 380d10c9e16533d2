const TICK_MS = 250;
/** A page in the background, or a computer that slept, ticks late: then silence says nothing yet. */
const LATE_TICK_MS = 1500;

/** Listens for signs of life while something is waited for. */
export class Pulse {
  readonly #beat: (silentMs: number | null) => void;
  readonly #limitMs: () => number;
  #timer: ReturnType<typeof setInterval> | null = null;
  #heard = 0;
  #ticked = 0;

  /**
   * @param beat told at each tick how long it has been silent, in ms, or null if for too long
   * @param limitMs how long is too long, now
   */
  constructor(beat: (silentMs: number | null) => void, limitMs: () => number) {
    this.#beat = beat;
    this.#limitMs = limitMs;
  }

  /** Begins to listen, if it does not yet. */
  start(): void {
    if (this.#timer !== null) return;
    this.#heard = performance.now();
    this.#ticked = this.#heard;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  heard(): void {
    this.#heard = performance.now();
  }

  #tick(): void {
    const now = performance.now();
    // What was sent meanwhile may still wait to be received.
    if (now - this.#ticked > LATE_TICK_MS) this.#heard = Math.max(this.#heard, now - TICK_MS);
    this.#ticked = now;
    const silent = now - this.#heard;
    this.#beat(silent > this.#limitMs() ? null : silent);
  }
}
