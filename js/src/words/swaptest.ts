import type { Contents } from "../source/source";
import type { SwapBar, SwappedAnswer, SwapTest, Tested, TestedAnswer } from "../source/swap";
import { stageText } from "./stage";
import { percentText } from "./text";

/** Activations are said to be unusual from here on: so much farther from any seen than usual. */
const UNUSUAL = 1.5;

export function isUnusual(times: number | null): boolean {
  return times !== null && times >= UNUSUAL;
}

/** The kinds that no swap test is about: nothing comes after them. */
const LAST_KINDS: ReadonlySet<string> = new Set(["logits"]);

/** What an answer is called: its title if it has one. */
export function answerTitle({ title, name }: { title: string; name: string }): string {
  return title || name;
}

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

/** A share of the bars' scale, which ends at none and at all. */
export function onScale(share: number): number {
  return Math.min(1, Math.max(0, share));
}

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

/** How unusual what follows a swap is, in words; "" where that is not known. */
export function unusualText(times: number | null): string {
  if (times === null) return "";
  return isUnusual(times)
    ? `leads to activations ${timesText(times)} as far from any seen as usual`
    : `in the usual range (${timesText(times)})`;
}

/** How far activations are from any seen, against what is usual. */
export function timesText(times: number | null): string {
  return times === null ? "–" : `${times.toFixed(1)}×`;
}

/** What a swap changes, to be heard. */
export function changesText(answers: readonly SwappedAnswer[]): string {
  const changed = answers.filter((answer) => answer.changed);
  if (changed.length === 0) return "nothing changes";
  return changed
    .map(
      (answer) => `${answerTitle(answer)}: ${answer.after.text} instead of ${answer.before.text}`,
    )
    .join(", ");
}
