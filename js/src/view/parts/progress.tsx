import type { Doing } from "../../state/task";
import { countText } from "../../words/text";

export function ProgressBar({ progress }: { progress: Doing }) {
  return progress.total > 0 ? (
    <progress value={progress.done} max={progress.total} />
  ) : (
    <progress />
  );
}

/** The same in words. */
export function progressText({ title, done, total, text, unit = "" }: Doing): string {
  if (total > 0) {
    return `${title}: ${text} ${countText(done)} of ${countText(total)} ${unit}`.trimEnd();
  }
  return text === "" ? title : `${title}: ${text}`;
}
