import {
  type Arrangement,
  type Axis,
  arrangeByDistance,
  arrangePlainly,
  axisOf,
  blocksBy,
  emptyArrangement,
  oneBlock,
} from "../compute/blocks";
import type { Coded } from "../data/concepts";

/** Arranges examples. What does not depend on the selected one is computed once and kept. */
export class Arranger {
  readonly #axes = new Map<string, Axis>();
  #latest: { key: string; arrangement: Arrangement } | null = null;

  /**
   * @param order examples, nearest first, (n,)
   * @param axes row and column concept, or null for the examples' own order
   * @returns an arrangement that is valid until the next one
   */
  arrange(
    order: Uint32Array,
    axes: readonly [string, string] | null,
    concepts: ReadonlyMap<string, Coded>,
  ): Arrangement {
    const key = JSON.stringify(axes);
    if (this.#latest?.key !== key) {
      const blocks = axes
        ? blocksBy(this.#axis(axes[0], concepts), this.#axis(axes[1], concepts))
        : oneBlock(order.length);
      this.#latest = { key, arrangement: emptyArrangement(blocks) };
    }
    const { arrangement } = this.#latest;
    if (axes) arrangeByDistance(arrangement, order);
    else arrangePlainly(arrangement);
    return arrangement;
  }

  /** Forgets what it computed: the examples have changed. */
  forget(): void {
    this.#axes.clear();
    this.#latest = null;
  }

  #axis(name: string, concepts: ReadonlyMap<string, Coded>): Axis {
    const concept = concepts.get(name);
    if (!concept) throw new Error(`There is no concept named ${name}.`);
    const axis = this.#axes.get(name) ?? axisOf(concept);
    this.#axes.set(name, axis);
    return axis;
  }
}
