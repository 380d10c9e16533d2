import type { Unusual } from "./swap";

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
  readonly unusual: Unusual | null;
}

export interface TestedAnswer {
  readonly name: string;
  readonly title: string;
  /** Whether the stage matters for it. */
  readonly matters: boolean;
  /** Share right without a swap, and if the same token were always answered. */
  readonly right: number;
  readonly constant: number;
  readonly bars: readonly SwapBar[];
}

/** Where the vectors of swaps come from. */
export interface Condition {
  readonly name: string;
  readonly text: string;
}

/** The swap tests that are known, by stage, and the stages that there could be one of, in order. */
export interface KnownTests {
  readonly known: ReadonlyMap<string, Tested>;
  readonly stages: readonly string[];
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
  /** Where the vectors come from: names, and what they are called. */
  readonly conditions: readonly Condition[];
  /** Those that the stage can reach. */
  readonly answers: readonly TestedAnswer[];
}

/** A swap test in short. */
export function shortOf({ possible, verdict, sentence, reason }: SwapTest): Tested {
  return possible ? { verdict, sentence } : { verdict: null, sentence: reason };
}

/** The answers that a stage matters for, the verdict's first, and those that it does not. */
export function sortedAnswers(test: SwapTest): {
  readonly matter: readonly TestedAnswer[];
  readonly quiet: readonly TestedAnswer[];
} {
  const first = test.answers.filter(({ name }) => name === test.answer);
  const others = test.answers.filter(({ name }) => name !== test.answer);
  const all = [...first, ...others];
  return {
    matter: all.filter(({ matters }) => matters),
    quiet: all.filter(({ matters }) => !matters),
  };
}
