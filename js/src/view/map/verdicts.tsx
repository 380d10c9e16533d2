import type { Exploration } from "../../state/exploration";
import {
  leftText,
  SETS_LABELS,
  SETS_WORDS,
  SIGN_LABELS,
  SIGN_WORDS,
  type Sign,
} from "../../words/swaptest";
import { countText } from "../../words/text";
import { ProgressBar } from "../parts/progress";
import { VerdictSign } from "../parts/sign";
import type { Tip } from "../parts/tooltip";

/** What its swap test says of a stage, for the note at the pointer. */
export function verdictTip(exploration: Exploration, stage: string): Partial<Tip> {
  const tested = exploration.swapTests.known.value.get(stage);
  return { note: tested?.sentence ?? SIGN_WORDS.untested };
}

/** What the signs on the stage map stand for, and the way to test all that is shown. */
export function VerdictLegend({ exploration }: { exploration: Exploration }) {
  const { swapTests } = exploration;
  const stages = swapTests.stages.value;
  const known = stages.filter((stage) => swapTests.known.value.has(stage)).length;
  const progress = swapTests.testingAll.progress.value;
  const closed = stages.filter((stage) => swapTests.closed.value.has(stage)).length;
  const count = `${countText(known)} of ${countText(stages.length)} stages`;
  const seconds = swapTests.secondsLeft.value;
  return (
    <div class="cw-swatches cw-key" data-role="verdict-legend">
      {(Object.keys(SIGN_WORDS) as Sign[]).map((sign) => (
        <span key={sign} data-tip={SIGN_WORDS[sign]}>
          <VerdictSign verdict={sign} />
          {SIGN_LABELS[sign]}
        </span>
      ))}
      {(Object.keys(SETS_WORDS) as (keyof typeof SETS_WORDS)[]).map((sets) => (
        <span key={sets} data-tip={SETS_WORDS[sets]}>
          <i class="cw-sign" data-sets={sets} />
          {SETS_LABELS[sets]}
        </span>
      ))}
      <span class="cw-preparing" data-role="testing-all">
        {progress ? (
          <>
            <ProgressBar progress={{ ...progress, done: known, total: stages.length }} />
            <span role="status">{seconds === null ? count : `${count}, ${leftText(seconds)}`}</span>
            <button
              type="button"
              data-role="cancel-all"
              onClick={() => swapTests.testingAll.cancel()}
            >
              cancel
            </button>
          </>
        ) : (
          <>
            {known < stages.length ? (
              <button
                type="button"
                data-role="test-all"
                data-tip="Run the swap test at every stage shown that has none yet."
                onClick={() => void swapTests.testAll(stages)}
              >
                test all
              </button>
            ) : null}
            <span data-tip="Accounted for: stages where one concept, or several together, are enough.">
              {closed > 0 ? `${count}, ${countText(closed)} accounted for` : count}
            </span>
          </>
        )}
      </span>
      {swapTests.problem.value === "" ? null : <span role="alert">{swapTests.problem.value}</span>}
    </div>
  );
}
