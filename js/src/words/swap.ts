import { isUnusual, type SwappedAnswer, type Unusual } from "../data/swap";

/** What an answer is called: its title if it has one. */
export function answerTitle({ title, name }: { title: string; name: string }): string {
  return title || name;
}

/** How unusual what follows a swap is, in words; "" where that is not known. */
export function unusualText(unusual: Unusual | null): string {
  if (unusual === null) return "";
  const word = isUnusual(unusual) ? "unusual activations" : "usual activations";
  return `${word} (${timesText(unusual)})`;
}

/** The same, as short as the strip needs. */
export function unusualWord(unusual: Unusual | null): string {
  if (unusual === null) return "";
  return `${isUnusual(unusual) ? "unusual" : "as usual"} (${timesText(unusual)})`;
}

/** How far activations are from any seen, against what is usual. */
export function timesText(unusual: Unusual | null): string {
  return unusual === null ? "–" : `${unusual.times.toFixed(1)}×`;
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
