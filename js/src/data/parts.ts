/** A part of a stage: a concept, or the interplay of two. Shares are of all distances there. */
export interface StagePart {
  readonly name: string;
  readonly concepts: readonly string[];
  readonly alone: number;
  /** What it adds to those before it. */
  readonly adds: number;
  /** What no other part explains. */
  readonly only: number;
  readonly p: number;
  readonly color: string;
}

/** A principal component of what is left: its share of that, and the examples at its two ends. */
export interface Component {
  readonly share: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** What a stage is made of. */
export interface StageParts {
  /** What they were asked for: `leftKey`. */
  readonly key: string;
  readonly parts: readonly StagePart[];
  /** Null where all examples are the same. */
  readonly unexplained: number | null;
  /** Root mean squared distance of the vectors to their mean. */
  readonly spread: number;
  readonly components: readonly Component[];
}

/** The second part of each stage, by address. */
export interface SecondPart {
  readonly concept: string;
  readonly color: string;
  readonly adds: number;
}
