import type { Exploration } from "../../state/exploration";
import { ProgressBar, progressText } from "../parts/progress";

/** What the hues of second parts stand for, and how far they are found. */
export function SecondLegend({ exploration }: { exploration: Exploration }) {
  const { madeOf, knowledge } = exploration;
  const progress = madeOf.mapping.progress.value;
  const colors = new Set([...madeOf.second.value.values()].map(({ color }) => color));
  const shown = new Set(knowledge.atlas.value?.hues.filter(({ color }) => colors.has(color)));
  return (
    <div class="cw-swatches cw-key" data-role="second-legend">
      {[...shown].map(({ name, color }) => (
        <span key={name}>
          <i style={{ background: color }} />
          {name}
        </span>
      ))}
      {progress ? (
        <span class="cw-preparing">
          <ProgressBar progress={progress} />
          <span role="status">{progressText(progress)}</span>
          <button
            type="button"
            onClick={() => {
              madeOf.mapping.cancel();
              madeOf.mapped.value = false;
            }}
          >
            cancel
          </button>
        </span>
      ) : null}
      {madeOf.problem.value === "" ? null : <span role="alert">{madeOf.problem.value}</span>}
    </div>
  );
}
