import { useEffect } from "preact/hooks";
import { stagesToTest } from "../compute/swaptest";
import { countText } from "../compute/text";
import type { Exploration } from "../exploration";
import type { Tested, Verdict } from "../source/swap";
import { Bar } from "./status";
import type { Tip } from "./tooltip";

/** How a stage looks where the map shows what the swap tests say. */
export type Sign = Verdict | "untested";

const WORDS: Readonly<Record<Sign, string>> = {
  enough: "the name is enough",
  insufficient: "the name is not enough",
  irrelevant: "does not matter",
  untested: "not tested",
};

export function signOf(tested: Tested | undefined): Sign {
  return tested?.verdict ?? "untested";
}

export function signText(tested: Tested | undefined): string {
  return WORDS[signOf(tested)];
}

export function VerdictSign({ verdict }: { verdict: Sign }) {
  return <i class="cw-sign" data-verdict={verdict} title={WORDS[verdict]} />;
}

/** What its swap test says of a stage, for the note at the pointer. */
export function verdictTip(exploration: Exploration, stage: string): Partial<Tip> {
  const tested = exploration.swapTests.known.value.get(stage);
  return { note: tested?.sentence ?? WORDS.untested };
}

/** What the signs on the stage map stand for, and the way to test all that is shown. */
export function VerdictLegend({ exploration }: { exploration: Exploration }) {
  const { swapTests, knowledge } = exploration;
  const contents = exploration.contents.value;
  useEffect(() => void swapTests.recall(), [swapTests, contents]);
  if (!contents) return null;
  const stages = stagesToTest(contents, knowledge.allKinds.value);
  const known = stages.filter((stage) => swapTests.known.value.has(stage)).length;
  const progress = swapTests.testingAll.progress.value;
  const count = `${countText(known)} of ${countText(stages.length)} stages`;
  return (
    <div class="cw-swatches cw-key" data-role="verdict-legend">
      {(Object.keys(WORDS) as Sign[]).map((sign) => (
        <span key={sign}>
          <VerdictSign verdict={sign} />
          {WORDS[sign]}
        </span>
      ))}
      <span class="cw-preparing" data-role="testing-all">
        {progress ? (
          <>
            <Bar progress={{ ...progress, done: known, total: stages.length }} />
            <span role="status">{count}</span>
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
                title="run the swap test at every stage shown that has none yet"
                onClick={() => void swapTests.testAll(stages)}
              >
                test all
              </button>
            ) : null}
            <span>{count}</span>
          </>
        )}
      </span>
      {swapTests.problem.value === "" ? null : <span role="alert">{swapTests.problem.value}</span>}
    </div>
  );
}
