import { useEffect } from "preact/hooks";
import { summaryText } from "../compute/tracewords";
import type { Exploration } from "../exploration";
import { traceables } from "../tracing";
import { Bar, progressText } from "./status";

/** One tab for each answer of the model: pressed, its trace is drawn on the stage map. */
export function TraceTabs({ exploration }: { exploration: Exploration }) {
  const { tracing } = exploration;
  const contents = exploration.contents.value;
  const answers = contents ? traceables(contents) : [];
  const picture = exploration.settled.value;
  const any = answers.length > 0;

  useEffect(() => {
    if (contents && picture && any && picture.selected < contents.n) {
      void tracing.follow(picture.selected, picture.started);
    }
  }, [tracing, contents, picture, any]);

  if (!any) return null;
  return (
    <div class="cw-tabs">
      <span>trace</span>
      <div role="group" aria-label="trace an answer: which stages it came through">
        <div>
          {answers.map(({ name, title }, i) => (
            <button
              key={name}
              type="button"
              data-answer={name}
              aria-pressed={tracing.answer.value === name}
              title={`which stages the answer ${title} came through`}
              onClick={(event) => void tracing.press(name, event.timeStamp)}
            >
              <b>{title}</b>
              <small>{tracing.captions.value[i] ?? ""}</small>
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}

/** Under the stage map: how much of the model the traced answer took, or how far its trace is. */
export function TraceSummary({ exploration }: { exploration: Exploration }) {
  const { tracing } = exploration;
  if (tracing.answer.value === null) return null;
  const progress = tracing.task.progress.value;
  const trace = tracing.shown.value?.trace;
  const problem = tracing.problem.value || (trace && !trace.possible ? trace.reason : "");
  return (
    <div class="cw-traced" data-role="traced">
      {progress ? (
        <span class="cw-preparing" role="status">
          <Bar progress={progress} />
          {progressText(progress)}
          <button type="button" data-role="cancel-trace" onClick={() => tracing.cancel()}>
            cancel
          </button>
        </span>
      ) : problem === "" && trace ? (
        <>
          <span
            data-role="trace-summary"
            role="status"
            data-stale={tracing.stale.value || undefined}
          >
            {summaryText(trace)}
          </span>
          <label class="cw-check">
            <input
              type="checkbox"
              data-role="pruned"
              checked={tracing.pruned.value}
              onChange={(event) => (tracing.pruned.value = event.currentTarget.checked)}
            />
            pruned too
          </label>
        </>
      ) : (
        <span class="cw-traced-problem" role="status" data-role="trace-problem">
          {problem}
        </span>
      )}
    </div>
  );
}
