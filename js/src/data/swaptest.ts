import type { Unusual } from "./swap";

/** What a swap test says of a stage: whether the concept that it is named by is all that is used of it. */
export type Verdict = "enough" | "insufficient" | "irrelevant" | "undecided";

/** Whether the answer follows when the concept's value is changed; null where no rule says. */
export type Sets = "sets" | "shares" | "no" | null;

/** A swap test in short. */
export interface Tested {
  /** Null where a stage cannot be tested. */
  readonly verdict: Verdict | null;
  readonly sets: Sets;
  /** Whether the mean of all examples would do as well. */
  readonly mean: boolean;
  /** The verdict in words, or why there is none. */
  readonly sentence: string;
}

/** Whether an answer becomes what its rule gives with another value, on one kind of pairs. */
export interface Follows {
  /** "any" two examples, or two that are "matched": alike but for the concept. */
  readonly pairs: string;
  readonly share: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
  /** Share of the other answers that stay. */
  readonly left_alone: number | null;
  /** How often the answer is that one without a swap, and with a random donor. */
  readonly without: number | null;
  readonly chance: number | null;
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
  readonly follows: readonly Follows[];
}

/** Where the vectors of swaps come from. */
export interface Condition {
  readonly name: string;
  readonly text: string;
}

/** The swap tests that are known, by stage, and the stages that there could be one of, in order. */
export interface KnownTests {
  readonly known: ReadonlyMap<string, Tested>;
  /** The stages where some concepts together are enough. */
  readonly closed: readonly string[];
  readonly stages: readonly string[];
}

/** A swap test in full. */
export interface SwapTest {
  readonly stage: string;
  readonly possible: boolean;
  readonly reason: string;
  readonly verdict: Verdict;
  readonly sets: Sets;
  readonly mean: boolean;
  readonly sentence: string;
  readonly pairs: number;
  /** How many pairs to run to tell more, or null where there are no more. */
  readonly more: number | null;
  /** What came of adding parts until they are enough, in words; "" where that was not asked. */
  readonly outcome: string;
  readonly closed: boolean;
  /** Name of the answer that the verdict is about. */
  readonly answer: string;
  /** Where the vectors come from: names, and what they are called. */
  readonly conditions: readonly Condition[];
  /** Those that the stage can reach. */
  readonly answers: readonly TestedAnswer[];
}

/** A swap test in short. */
export function shortOf({ possible, verdict, sets, mean, sentence, reason }: SwapTest): Tested {
  return possible
    ? { verdict, sets, mean, sentence }
    : { verdict: null, sets: null, mean: false, sentence: reason };
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
