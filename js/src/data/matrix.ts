import type { Dominated } from "./metric";

/** The vectors of all examples at one stage, or what a metric makes of them. */
export interface Matrix {
  /** (n, d), row-major. */
  readonly values: Float32Array;
  readonly d: number;
  /** Names of the columns, where they are positions looked at. */
  readonly columns: readonly string[] | null;
  /** The coordinates that carry most of L2, where a few do. */
  readonly dominated: Dominated | null;
}

/** Distances that the source computed, where a matrix is too large to bring here. */
export interface Distances {
  /** Of what they are: `leftKey`. */
  readonly key: string;
  readonly row: number;
  readonly values: Float32Array;
  /** The selected example's vector, (d,). */
  readonly vector: Float32Array;
  readonly columns: readonly string[] | null;
  /** The coordinates that carry most of L2, where a few do. */
  readonly dominated: Dominated | null;
}
