import { useLayoutEffect, useRef } from "preact/hooks";
import {
  type Unusual as Distance,
  isUnusual,
  type Swap,
  type SwappedAnswer,
} from "../../data/swap";
import type { Exploration } from "../../state/exploration";
import { SAVED_PAGE } from "../../words/saved";
import { answerTitle, changesText, unusualWord } from "../../words/swap";
import { percentText, visibleToken } from "../../words/text";
import { ProgressBar } from "../parts/progress";
import { Term } from "../parts/term";

/** The `detail` of a `clusterwidget:swapped` event. */
export interface Swapped {
  /** From the click or key to the answer in the page. */
  readonly ms: number;
}

/** What the model answers to the selected example with another's vector put in. */
export function SwapStrip({ exploration }: { exploration: Exploration }) {
  const { swaps } = exploration;
  const strip = useRef<HTMLDivElement>(null);
  const asked = swaps.asked.value;
  const found = swaps.found.value;

  useLayoutEffect(() => {
    const started = swaps.asked.value?.started;
    if (!found || started === undefined) return;
    const detail: Swapped = { ms: performance.now() - started };
    strip.current?.dispatchEvent(
      new CustomEvent("clusterwidget:swapped", { detail, bubbles: true }),
    );
  }, [swaps, found]);

  const there = asked !== null && asked.receiver === exploration.selected.value;
  const label = (example: number) => exploration.labels.value?.at(example) ?? `example ${example}`;
  const problem = swaps.problem.value || (found?.possible === false ? found.reason : "");
  const stale =
    asked?.stage !== found?.stage ||
    asked?.donor !== found?.donor ||
    swaps.free.value !== found?.free;
  const progress = swaps.asking.progress.value;
  const said = !there || stale ? "" : problem || (found ? changesText(found.answers) : "");
  return (
    <>
      {there ? (
        <div
          class="cw-swap"
          data-role="swap"
          data-at={found?.stage}
          data-donor={found?.donor}
          data-stale={stale || undefined}
          ref={strip}
        >
          <span
            class="cw-swap-what"
            data-tip={`${label(asked.receiver)}, with ${asked.stage} from ${label(asked.donor)}`}
          >
            <Term name="swap" />: with <b>{asked.stage}</b> from <b>{label(asked.donor)}</b>
            {problem === "" ? " the model answers" : ""}
          </span>
          {problem === "" ? (
            <Answers swap={found} />
          ) : (
            <span class="cw-swap-problem" data-role="swap-problem" data-tip={problem}>
              {problem}
            </span>
          )}
          {progress ? (
            <span class="cw-preparing" role="status">
              <ProgressBar progress={progress} />
              {progress.total > 0 ? progress.title : progress.text || progress.title}
            </span>
          ) : null}
          <span class="cw-swap-more">
            <Unusual times={found?.unusual ?? null} />
            {(found?.answers.length ?? 0) > 1 || swaps.free.value ? (
              <Fed exploration={exploration} />
            ) : null}
          </span>
          <button
            type="button"
            data-role="swap-dismiss"
            aria-label="take the swap back"
            data-tip="Take the swap back (Esc)."
            onClick={(event) => {
              const figure = event.currentTarget.closest(".clusterwidget");
              swaps.dismiss();
              figure?.querySelector<HTMLElement>("[data-role=grid]")?.focus();
            }}
          >
            ×
          </button>
        </div>
      ) : exploration.contents.value?.hasModel ? (
        <div class="cw-swap cw-swap-hint">
          {exploration.saved.value ? (
            <span>{SAVED_PAGE}</span>
          ) : (
            <span>
              <Term name="swap">Swap</Term>: Shift-click a cell, and see what the model answers with
              that cell's vector.
            </span>
          )}
        </div>
      ) : null}
      <div class="cw-spoken" aria-live="polite" data-role="spoken-swap">
        {said === "" ? "" : `With ${asked?.stage} from ${label(asked?.donor ?? 0)}: ${said}`}
      </div>
    </>
  );
}

function Answers({ swap }: { swap: Swap | null }) {
  return (
    <span class="cw-swap-answers" data-role="swap-answers">
      {swap?.answers.map((answer) => {
        const { name, after, changed, reached } = answer;
        return (
          <span
            key={name}
            class="cw-token"
            data-tip={answerTip(answer, swap.stage)}
            data-answer={name}
            data-changed={changed || undefined}
            data-unreached={!reached || undefined}
          >
            <b>{visibleToken(after.text)}</b>
            <small>{percentText(after.probability)}</small>
          </span>
        );
      })}
    </span>
  );
}

function answerTip(answer: SwappedAnswer, stage: string): string {
  const { before, after, changed, reached, right } = answer;
  const title = answerTitle(answer);
  if (!reached) return `${title}: read before ${stage}, which cannot change it.`;
  const was = `${visibleToken(before.text)} (${percentText(before.probability)})`;
  const now = `${visibleToken(after.text)} (${percentText(after.probability)})`;
  const said = changed ? `${now} instead of ${was}` : `${now}, as before (${was})`;
  return `${title}: ${said}. Right is ${visibleToken(right)}.`;
}

function Unusual({ times }: { times: Distance | null }) {
  const text = unusualWord(times);
  return text ? (
    <span class="cw-swap-unusual" data-role="swap-unusual" data-far={isUnusual(times) || undefined}>
      <Term name="unusual">{text}</Term>
    </span>
  ) : null;
}

function Fed({ exploration }: { exploration: Exploration }) {
  const { swaps } = exploration;
  return (
    <span class="cw-choice">
      <Term name="earlier answers" />
      <select
        data-role="swap-free"
        aria-label="earlier answers"
        value={String(swaps.free.value)}
        onChange={(event) => swaps.feed(event.currentTarget.value === "true")}
      >
        <option value="false">the right ones</option>
        <option value="true">the model's own</option>
      </select>
    </span>
  );
}
