import { traceKey } from "../../data/contents";
import { type Trace, traceables } from "../../data/trace";
import type { Exploration } from "../../state/exploration";
import { NOT_SAVED } from "../../words/saved";
import { unusualWord } from "../../words/swap";
import { percentText } from "../../words/text";
import { keptText } from "../../words/trace";
import { ProgressBar, progressText } from "../parts/progress";
import { Term } from "../parts/term";

/** One tab for each answer of the model: pressed, its trace is drawn on the stage map. */
export function TraceTabs({ exploration }: { exploration: Exploration }) {
  const { traces } = exploration;
  const contents = exploration.contents.value;
  const answers = contents ? traceables(contents) : [];
  if (answers.length === 0) return null;
  const captions = traces.captions.value;
  const saved = exploration.saved.value;
  const selected = exploration.selected.value;
  const lacks = (name: string) => saved !== null && !saved.traces.has(traceKey(selected, name));
  return (
    <div class="cw-answers">
      <Term name="trace" />
      <div role="group" aria-label="trace an answer: which stages it came through">
        <div>
          {answers.map(({ name, title }, i) => (
            <button
              key={name}
              type="button"
              data-answer={name}
              aria-pressed={traces.answer.value === name}
              disabled={lacks(name)}
              title={lacks(name) ? NOT_SAVED : undefined}
              data-tip={
                lacks(name) ? undefined : `Trace the answer ${title}: which stages it came through.`
              }
              onClick={(event) => void traces.press(name, event.timeStamp)}
            >
              <b>{title}</b>
              <small>{captions?.[i] ?? ""}</small>
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}

/** Under the stage map: how much of the model the traced answer took, or how far its trace is. */
export function TraceSummary({ exploration }: { exploration: Exploration }) {
  const { traces } = exploration;
  if (traces.answer.value === null) return null;
  const progress = traces.task.progress.value;
  const trace = traces.shown.value?.trace;
  const problem = traces.problem.value || (trace && !trace.possible ? trace.reason : "");
  return (
    <div class="cw-traced" data-role="traced">
      {progress ? (
        <span class="cw-preparing" role="status">
          <ProgressBar progress={progress} />
          {progressText(progress)}
          <button type="button" data-role="cancel-trace" onClick={() => traces.cancel()}>
            cancel
          </button>
        </span>
      ) : null}
      {problem === "" ? null : (
        <span class="cw-traced-problem" role="status" data-role="trace-problem">
          {problem}
        </span>
      )}
      {trace?.possible ? (
        <>
          <div data-stale={traces.stale.value || undefined}>
            <span data-role="trace-summary" role="status">
              {keptText(trace)} <Term name="edge">edges</Term> carry this answer: alone they make it{" "}
              {percentText(trace.keptProbability)} likely
              <Unusual trace={trace} />
            </span>
            <label
              class="cw-check"
              data-tip="Draw also the edges that can be cut and leave the answer as it is."
            >
              <input
                type="checkbox"
                data-role="pruned"
                checked={traces.pruned.value}
                onChange={(event) => (traces.pruned.value = event.currentTarget.checked)}
              />
              show cut edges
            </label>
          </div>
          <TraceKey />
        </>
      ) : null}
    </div>
  );
}

/** Whether what the model does then is like anything that it does with examples. */
function Unusual({ trace }: { trace: Trace }) {
  const text = unusualWord(trace.unusual);
  return text === "" ? null : (
    <>
      , <Term name="unusual">{text}</Term>
    </>
  );
}

/** What the circles and curves stand for. */
function TraceKey() {
  return (
    <div class="cw-swatches cw-trace-key">
      <span data-tip="The larger the circle, the less likely the answer is without that stage.">
        <svg class="cw-dot" data-kept aria-hidden="true">
          <circle cx="3" cy="7" r="2" />
          <circle cx="11" cy="7" r="5" />
        </svg>
        loss without it
      </span>
      <span data-tip="What a head looks at: the wider the line, the more.">
        <svg class="cw-arc cw-looks" data-kept aria-hidden="true">
          <path d="M2 1C2 8 8 10 16 10" style={{ strokeWidth: "2px" }} />
        </svg>
        attention
      </span>
      <span data-tip="What one stage passes on to a later one at the same position.">
        <svg class="cw-arc" data-kept aria-hidden="true">
          <path d="M8 0C11 4 11 9 8 13" />
        </svg>
        passes on
      </span>
    </div>
  );
}
