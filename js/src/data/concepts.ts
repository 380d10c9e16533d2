/** A concept as numbers: `codes[i]` indexes `values`, or is `missing`. */
export interface Coded {
  readonly name: string;
  readonly values: readonly string[];
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly missing: number;
}

/** The groups that a concept divides the examples into; named by all concepts that divide them so. */
export interface Partition extends Coded {
  readonly family: string | null;
}

/** The value of `color_by` that stands for the clusters at the stage. */
export const CLUSTER = "cluster";

/** Groups of examples that lie together at a stage, named in words. */
export interface Clusters extends Coded {
  readonly stage: string;
}
