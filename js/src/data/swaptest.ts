/** One answer of the model, before a swap and after it. */
export interface SwappedAnswer {
  readonly name: string;
  readonly title: string;
  /** The right token's text. */
  readonly right: string;
  readonly before: Guess;
  readonly after: Guess;
  readonly changed: boolean;
  /** Whether the answer is read at or after the stage's position. */
  readonly reached: boolean;
}

export interface Guess {
  readonly text: string;
  readonly probability: number;
}

/** What the model answers to one example with another's vector put in at a stage. */
export interface Swap {
  readonly stage: string;
  /** The example that is answered, and the one whose vector it is given. */
  readonly receiver: number;
  readonly donor: number;
  /** Whether the model's own earlier answers stand in its input, not the right ones. */
  readonly free: boolean;
  readonly possible: boolean;
  /** Why it is not, in words. */
  readonly reason: string;
  /** In order of position. */
  readonly answers: readonly SwappedAnswer[];
  /** How far later activations are from any seen: 1 is as far as usual. */
  readonly unusual: number | null;
}

/** What a swap test says of a stage: whether the concept that it is named by is all that is used of it. */
export type Verdict = "enough" | "insufficient" | "irrelevant";

/** A swap test in short. */
export interface Tested {
  /** Null where a stage cannot be tested. */
  readonly verdict: Verdict | null;
  /** The verdict in words, or why there is none. */
  readonly sentence: string;
}

/** What is left of an answer when the vectors come from one kind of examples. */
export interface SwapBar {
  /** Name of the condition. */
  readonly condition: string;
  /** Share of what any example's vector costs that these do not; null where nothing can be said. */
  readonly recovered: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Share of pairs whose answer is still right; null where there are no pairs. */
  readonly right: number | null;
  readonly unusual: number | null;
}

export interface TestedAnswer {
  readonly name: string;
  readonly title: string;
  /** Whether the stage matters for it. */
  readonly matters: boolean;
  /** Loss that any example's vector adds, in nats. */
  readonly cost: number;
  /** Share right without a swap, and if the same token were always answered. */
  readonly right: number;
  readonly constant: number;
  readonly bars: readonly SwapBar[];
}

/** A swap test in full. */
export interface SwapTest {
  readonly stage: string;
  readonly possible: boolean;
  readonly reason: string;
  readonly verdict: Verdict;
  readonly sentence: string;
  /** Name of the answer that the verdict is about. */
  readonly answer: string;
  readonly concept: string | null;
  readonly pairs: number;
  /** Where the vectors come from: names, and what they are called. */
  readonly conditions: readonly { readonly name: string; readonly text: string }[];
  /** Those that the stage can reach. */
  readonly answers: readonly TestedAnswer[];
}
