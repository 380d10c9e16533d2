import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Contents } from "../data/contents";

/** A model of more layers than this is shown as an overview first: a row a layer. */
const MOST_OPEN_LAYERS = 4;

/** Which layers of the stage map are shown stage by stage, and which as one row. */
export class Folding {
  /** The layers that are unfolded; null for as many as suit the model. */
  readonly unfolded: Signal<readonly number[] | null> = signal(null);
  /** All layers, in order. */
  readonly layers: ReadonlySignal<readonly number[]>;
  /** Those that are unfolded now. */
  readonly open: ReadonlySignal<ReadonlySet<number>>;
  /** Whether the model is so deep that its map opens as an overview. */
  readonly deep: ReadonlySignal<boolean>;

  constructor(contents: ReadonlySignal<Contents | null>) {
    this.layers = computed(() => {
      const found = new Set<number>();
      for (const { layer } of contents.value?.rows ?? []) if (layer !== null) found.add(layer);
      return [...found];
    });
    this.deep = computed(() => this.layers.value.length > MOST_OPEN_LAYERS);
    this.open = computed(
      () => new Set(this.unfolded.value ?? (this.deep.value ? [] : this.layers.value)),
    );
  }

  toggle(layer: number): void {
    const open = this.open.value;
    this.unfolded.value = this.layers.value.filter((one) => open.has(one) !== (one === layer));
  }

  /** Unfolds all layers, or folds them. */
  all(open: boolean): void {
    this.unfolded.value = open ? this.layers.value : [];
  }
}
