import type { Contents } from "./contents";
import { stageText } from "./stage";

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

/** The kinds that no swap test is about: nothing comes after them. */
const LAST_KINDS: ReadonlySet<string> = new Set(["logits"]);

/**
 * Stages of the kinds shown that a swap test can be asked for, in the order of the stage map: first
 * those at positions where an answer is read, which most often matter.
 */
export function stagesToTest(
  {
    rows,
    positions,
    defaultKinds,
    answers,
  }: Pick<Contents, "rows" | "positions" | "defaultKinds" | "answers">,
  allKinds: boolean,
): string[] {
  const read = new Set(answers.map(({ position }) => position));
  const shown = rows.filter(
    ({ kind }) => (allKinds || defaultKinds.includes(kind)) && !LAST_KINDS.has(kind),
  );
  const at = (wanted: boolean) =>
    shown.flatMap(({ kind, layer, head, widths }) =>
      positions.flatMap((position, i) =>
        widths[i] && read.has(position) === wanted
          ? [stageText({ kind, layer, head, position })]
          : [],
      ),
    );
  return [...at(true), ...at(false)];
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
