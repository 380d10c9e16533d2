import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Atlas } from "../data/atlas";
import type { Axes } from "./picture";

/** Decides which atlas arranges the grid: while the grid is in use, it stays with the one that it has. */
export class Guide {
  /** Whether the pointer or the focus is in the grid. */
  readonly inUse = signal(false);
  /** Row and column concept of the grid now, or null for the plain order. */
  readonly axes: ReadonlySignal<Axes>;
  /** Whether a newer atlas would arrange the grid in another way. */
  readonly waits: ReadonlySignal<boolean>;

  readonly #latest: ReadonlySignal<Atlas | null>;
  readonly #followed: Signal<Atlas | null> = signal(null);

  /** @param axesBy what an atlas makes of the rows and columns */
  constructor(latest: ReadonlySignal<Atlas | null>, axesBy: (atlas: Atlas | null) => Axes) {
    this.#latest = latest;
    this.axes = computed(() => axesBy(this.#followed.value));
    this.waits = computed(
      () =>
        latest.value !== this.#followed.value &&
        String(axesBy(latest.value)) !== String(this.axes.value),
    );
  }

  /** Follows the newest atlas from now on; returns whether the axes are others then. */
  follow(): boolean {
    const before = String(this.axes.peek());
    this.#followed.value = this.#latest.peek();
    return String(this.axes.peek()) !== before;
  }
}
