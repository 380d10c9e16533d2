/** The vectors of all examples at one stage. */
export interface Matrix {
  /** (n, d), row-major. */
  readonly values: Float32Array;
  readonly d: number;
  /** Names of the columns, where they are positions looked at. */
  readonly columns: readonly string[] | null;
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
}
