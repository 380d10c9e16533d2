import type { Follows, Sets, SwapBar, Tested, TestedAnswer, Verdict } from "../data/swaptest";
import { unusualText } from "./swap";
import { countText, percentText } from "./text";

/** A recovered share in percent; it can be below none and above all. */
export function recoveredText(share: number | null): string {
  if (share === null) return "–";
  if (share < 0) return share > -0.005 ? "0%" : `−${Math.round(-100 * share)}%`;
  return percentText(share);
}

/** What a bar says, in full. */
export function barText(
  bar: SwapBar,
  condition: string,
  { right, constant }: TestedAnswer,
): string {
  const range =
    bar.low === null || bar.high === null
      ? ""
      : ` (${recoveredText(bar.low)} to ${recoveredText(bar.high)})`;
  const unusual = unusualText(bar.unusual);
  return [
    `${condition}: ${recoveredText(bar.recovered)}${range} of the answer is kept.`,
    `Still right: ${recoveredText(bar.right)}; without a swap ${percentText(right)}, always the same answer ${percentText(constant)}.`,
    ...(unusual ? [`It leads to ${unusual}.`] : []),
  ].join("\n");
}

/** How a stage looks where the map shows what the swap tests say. */
export type Sign = Verdict | "mean" | "untested";

export const SIGN_WORDS: Readonly<Record<Sign, string>> = {
  enough: "the concept is enough",
  mean: "the concept is enough, but so is the mean of all examples",
  insufficient: "the concept is not enough",
  undecided: "too few pairs to tell",
  irrelevant: "the stage does not matter",
  untested: "not tested",
};

/** The same, as short as a legend needs. */
export const SIGN_LABELS: Readonly<Record<Sign, string>> = {
  enough: "enough",
  mean: "mean does too",
  insufficient: "not enough",
  undecided: "undecided",
  irrelevant: "no effect",
  untested: "not tested",
};

/** Whether the answer follows, as a bar on the stage. */
export const SETS_WORDS: Readonly<Record<NonNullable<Sets>, string>> = {
  sets: "sets the answer",
  shares: "shares in setting the answer",
  no: "does not set the answer",
};

/** The same, as short as a legend needs. */
export const SETS_LABELS: typeof SETS_WORDS = {
  sets: "sets it",
  shares: "shares in it",
  no: "doesn't",
};

export function signOf(tested: Tested | undefined): Sign {
  if (tested?.verdict === "enough" && tested.mean) return "mean";
  return tested?.verdict ?? "untested";
}

/** How long something may still take. */
export function leftText(seconds: number): string {
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

const PAIRS: Readonly<Record<string, string>> = {
  any: "any two examples",
  matched: "two alike in all else",
};

/** What kind of pairs a bar is about. */
export function pairsText(pairs: string): string {
  return PAIRS[pairs] ?? pairs;
}

/** What a bar of what follows says, in full. */
export function followsText({ pairs, share, low, high, n, without, chance }: Follows): string {
  if (share === null) return `${pairsText(pairs)}: no pair differs so that the answer would`;
  const range = `${recoveredText(low)} to ${recoveredText(high)}, ${countText(n)} pairs`;
  return [
    `${pairsText(pairs)}: the answer becomes what the rule gives with the other's value in ${recoveredText(share)} (${range}).`,
    `Without a swap ${recoveredText(without)}, with a random example's vector ${recoveredText(chance)}.`,
  ].join("\n");
}

export function signText(tested: Tested | undefined): string {
  const follows = tested?.sets ? `, ${SETS_WORDS[tested.sets]}` : "";
  return SIGN_WORDS[signOf(tested)] + follows;
}
