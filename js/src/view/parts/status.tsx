import type { Exploration } from "../../state/exploration";
import type { LatestTask } from "../../state/task";
import { dominatedText } from "../../words/metric";
import { leftName } from "../../words/stage";
import { countText, distanceText } from "../../words/text";
import { ProgressBar, progressText } from "./progress";

/** What takes longer, with a way to stop it, and what went wrong. */
export function Notices({ exploration }: { exploration: Exploration }) {
  const problem = exploration.problem.value;
  const loading = exploration.loading.progress.value ?? exploration.finder.task.progress.value;
  const cancel = () => {
    exploration.finder.task.cancel();
    exploration.cancel();
  };
  return (
    <>
      {exploration.gone.value ? (
        <div class="cw-error" data-role="gone" role="alert">
          {exploration.gone.value}
        </div>
      ) : null}
      {problem === "" || exploration.gone.value ? null : (
        <div class="cw-error" data-role="error" role="alert">
          <span>{problem}</span>
          <span class="cw-spacer" />
          {exploration.picture.value ? null : (
            <button type="button" onClick={() => void exploration.refresh(performance.now())}>
              try again
            </button>
          )}
          <button type="button" aria-label="close" onClick={() => (exploration.problem.value = "")}>
            ×
          </button>
        </div>
      )}
      {loading ? (
        <div class="cw-progress" data-role="progress" role="status">
          <ProgressBar progress={loading} />
          <span>{progressText(loading)}</span>
          <button type="button" data-role="cancel" onClick={cancel}>
            cancel
          </button>
        </div>
      ) : null}
    </>
  );
}

/** A line under the figure: how to use it, and what is being got ready. */
export function Footer({ exploration }: { exploration: Exploration }) {
  const contents = exploration.contents.value;
  return (
    <div class="cw-footer">
      <span class="cw-help">
        Hover a cell to preview it, click to select it. Esc goes back, ? explains.
      </span>
      <span class="cw-spacer" />
      <Arriving exploration={exploration} />
      <Background task={exploration.preparing} what="getting stages ready" />
      <Background task={exploration.knowledge.mapping} what="finding what explains each stage" />
      <Dominated exploration={exploration} />
      <span>{contents ? `${countText(contents.n)} examples` : ""}</span>
    </div>
  );
}

/** Tells of a new arrangement that waits until the grid is left, and offers it now. */
function Arriving({ exploration }: { exploration: Exploration }) {
  const waits = exploration.guide.waits.value;
  return (
    <span class="cw-arriving" data-role="arriving" role="status">
      {waits ? (
        <>
          <span>Better rows and columns are ready. They appear once you leave the grid.</span>
          <button type="button" data-role="rearrange" onClick={() => exploration.rearrange()}>
            show now
          </button>
        </>
      ) : null}
    </span>
  );
}

/** Tells that a few coordinates carry most of the distance, and offers to make them alike. */
function Dominated({ exploration }: { exploration: Exploration }) {
  const { dominated = null, metric } = exploration.settled.value ?? {};
  if (!dominated || metric !== "l2") return null;
  return (
    <button
      type="button"
      class="cw-chip"
      data-role="dominated"
      data-tip="Press for each coordinate over its standard deviation: all count alike."
      onClick={(event) => {
        // The chip goes: keys must stay in the figure.
        const figure = event.currentTarget.closest(".clusterwidget");
        if (event.detail === 0) figure?.querySelector<HTMLElement>("[data-role=grid]")?.focus();
        exploration.go({ metric: "standardized" }, event.timeStamp);
      }}
    >
      {dominatedText(dominated)}: standardize
    </button>
  );
}

/** What goes on while the figure can be used. */
function Background({ task, what }: { task: LatestTask; what: string }) {
  const progress = task.progress.value;
  if (!progress) return null;
  return (
    <span class="cw-preparing" data-role="preparing">
      <ProgressBar progress={progress} />
      {progressText(progress)}
      <button
        type="button"
        aria-label={`stop ${what}`}
        data-tip={`Stop ${what}.`}
        onClick={() => task.cancel()}
      >
        ×
      </button>
    </span>
  );
}

/** Speaks what is selected to those who cannot see it. */
export function Spoken({ exploration }: { exploration: Exploration }) {
  const picture = exploration.settled.value;
  const labels = exploration.labels.value;
  const pointed = exploration.pointed.value;
  let text = "";
  if (picture && labels) {
    text = `${labels.at(picture.selected)} selected at ${leftName(picture)}`;
    if (pointed !== null && pointed !== picture.selected) {
      const distance = distanceText(picture.ranked.distances[pointed] ?? 0);
      text = `${labels.at(pointed)} at distance ${distance}`;
    }
  }
  return (
    <div class="cw-spoken" aria-live="polite" data-role="spoken">
      {text}
    </div>
  );
}
