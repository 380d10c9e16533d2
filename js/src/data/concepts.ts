/** A concept as numbers: `codes[i]` indexes `values`, or is `missing`. */
export interface Coded {
  readonly name: string;
  readonly values: readonly string[];
  readonly codes: Uint8Array | Uint16Array | Uint32Array;
  readonly missing: number;
}

/** The groups that concepts divide the examples into, and what decides that neighbors share one. */
export interface Partitions {
  readonly all: readonly Coded[];
  /** How far each is determined by each other one, (concepts × concepts), row-major. */
  readonly determined: Float32Array;
  /** Neighbors in the wide look: with few, everything that nests agrees. */
  readonly wide: number;
  /** Normalized mutual information from which concepts are nested. */
  readonly nested: number;
  /** Agreement of a coarser concept, relative to a finer one, at which it replaces that. */
  readonly nearlyAsStrong: number;
  /** Corrected chance up to which what neighbors share is shown. */
  readonly significant: number;
}

/** The value of `color_by` that stands for the clusters at the stage. */
export const CLUSTER = "cluster";

/** Groups of examples that lie together at a stage, named in words. */
export interface Clusters extends Coded {
  /** Of what they are: `leftKey`. */
  readonly key: string;
}
