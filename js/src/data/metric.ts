/** What distances are: see `Explorer.matrix`. */
export const METRICS = ["l2", "cosine", "standardized", "whitened"] as const;

export type Metric = (typeof METRICS)[number];

/** A few coordinates of a stage that carry most of its L2 distances. */
export interface Dominated {
  readonly coordinates: number;
  /** Of so many. */
  readonly of: number;
  readonly share: number;
}
