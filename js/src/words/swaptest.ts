import { isUnusual } from "../data/swap";
import type { SwapBar, Tested, TestedAnswer, Verdict } from "../data/swaptest";
import { unusualText } from "./swap";
import { percentText } from "./text";

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
    ...(unusual ? [`It ${isUnusual(bar.unusual) ? "" : "stays "}${unusual}.`] : []),
  ].join("\n");
}

/** How a stage looks where the map shows what the swap tests say. */
export type Sign = Verdict | "untested";

export const SIGN_WORDS: Readonly<Record<Sign, string>> = {
  enough: "the name is enough",
  insufficient: "the name is not enough",
  irrelevant: "does not matter",
  untested: "not tested",
};

export function signOf(tested: Tested | undefined): Sign {
  return tested?.verdict ?? "untested";
}

export function signText(tested: Tested | undefined): string {
  return SIGN_WORDS[signOf(tested)];
}
