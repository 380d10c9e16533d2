import { useSignal } from "@preact/signals";
import { onScale } from "../../compute/scale";
import { isUnusual } from "../../data/swap";
import {
  type Follows,
  type SwapBar,
  type SwapTest,
  shortOf,
  sortedAnswers,
  type TestedAnswer,
} from "../../data/swaptest";
import type { Exploration } from "../../state/exploration";
import { NEEDS_NOTEBOOK, NO_TEST_SAVED } from "../../words/saved";
import { answerTitle, timesText } from "../../words/swap";
import { barText, followsText, pairsText, recoveredText, signOf } from "../../words/swaptest";
import { countText, percentText } from "../../words/text";
import { More } from "../parts/more";
import { ProgressBar } from "../parts/progress";
import { VerdictSign } from "../parts/sign";
import { Term } from "../parts/term";

/** The first of these are shown before anyone asks for the rest. */
const FIRST = 3;
/** Any example's vector: where the scale begins. */
const ZERO = "random";
/** The vector that tells nothing of any example. */
const BASELINE = "mean";

/** Whether examples can stand in for each other at the stage. */
export function SwapTestPanel({ exploration }: { exploration: Exploration }) {
  const { swapTests } = exploration;
  const stage = exploration.stage.value;
  const test = swapTests.shown.value?.stage === stage ? swapTests.shown.value : null;
  const known = test ? shortOf(test) : swapTests.known.value.get(stage);
  const problem = swapTests.problem.value;
  return (
    <>
      <h3>
        <span class="cw-near-what" data-tip={`swap test at ${stage}`}>
          <Term name="swap test" /> at <b>{stage}</b>
        </span>
      </h3>
      <div
        class="cw-scroll"
        data-role="swap-test"
        data-at={test?.stage}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        tabIndex={0}
      >
        <div class="cw-tests">
          {known ? (
            <p class="cw-verdict" data-role="verdict" data-verdict={known.verdict ?? "untested"}>
              {known.verdict ? <VerdictSign verdict={signOf(known)} sets={known.sets} /> : null}
              {known.sentence}
            </p>
          ) : (
            <Start exploration={exploration} stage={stage} />
          )}
          {problem === "" ? null : (
            <p class="cw-error" role="alert">
              {problem}
            </p>
          )}
          {test?.possible ? <Onward exploration={exploration} test={test} /> : null}
          {test?.possible ? <Answers key={stage} test={test} /> : null}
        </div>
      </div>
      <div class="cw-spoken" aria-live="polite">
        {known?.sentence}
      </div>
    </>
  );
}

/** What can be asked next: more pairs, or which parts together are enough. */
function Onward({ exploration, test }: { exploration: Exploration; test: SwapTest }) {
  const { swapTests } = exploration;
  const { stage, verdict, more, outcome } = test;
  const running = swapTests.running.value === stage;
  const saved = exploration.saved.value !== null;
  const accounted = !saved || swapTests.closed.value.has(stage);
  if (running) return <Testing exploration={exploration} />;
  return (
    <>
      {outcome === "" ? null : (
        <p class="cw-verdict" data-role="account">
          {outcome}
        </p>
      )}
      {verdict === "undecided" && more !== null ? (
        <button
          type="button"
          class="cw-run"
          data-role="more-pairs"
          disabled={saved}
          title={saved ? NEEDS_NOTEBOOK : undefined}
          onClick={() => void swapTests.test(stage, more)}
        >
          run {countText(more)} pairs
        </button>
      ) : null}
      {verdict === "insufficient" && outcome === "" ? (
        <button
          type="button"
          class="cw-run"
          data-role="find-enough"
          disabled={!accounted}
          title={accounted ? undefined : NEEDS_NOTEBOOK}
          data-tip={
            accounted
              ? "Test the parts of the stage together, one more each time, until they are enough."
              : undefined
          }
          onClick={() => void swapTests.account(stage)}
        >
          find what is enough
        </button>
      ) : null}
    </>
  );
}

function Testing({ exploration }: { exploration: Exploration }) {
  const { swapTests } = exploration;
  const progress = swapTests.testing.progress.value;
  if (!progress) return null;
  const { done, total, text } = progress;
  return (
    <div class="cw-testing" data-role="testing" role="status">
      <ProgressBar progress={progress} />
      <span>
        {total > 0 ? `${countText(done)} of ${countText(total)} ${text}` : text || "testing"}
      </span>
      <button type="button" data-role="cancel-test" onClick={() => swapTests.cancel()}>
        cancel
      </button>
    </div>
  );
}

function Start({ exploration, stage }: { exploration: Exploration; stage: string }) {
  const { swapTests } = exploration;
  const running = swapTests.running.value === stage;
  const saved = exploration.saved.value !== null;
  if (running && swapTests.testing.progress.value) return <Testing exploration={exploration} />;
  return (
    <>
      <p class="cw-aside">
        Can examples stand in for each other here? The test puts the vectors of others in at this
        stage, and sees how much of the answers is kept.
      </p>
      {saved ? <p class="cw-aside">{NO_TEST_SAVED}</p> : null}
      <button
        type="button"
        class="cw-run"
        data-role="run-test"
        disabled={running || saved}
        title={saved ? NEEDS_NOTEBOOK : undefined}
        onClick={() => void swapTests.test(stage)}
      >
        run the swap test
      </button>
    </>
  );
}

function Answers({ test }: { test: SwapTest }) {
  const all = useSignal(false);
  const { matter, quiet } = sortedAnswers(test);
  const more = matter.length - FIRST;
  return (
    <>
      {(all.value ? matter : matter.slice(0, FIRST)).map((answer) => (
        <Answer key={answer.name} answer={answer} test={test} />
      ))}
      <More all={all} count={more} />
      {quiet.length > 0 ? (
        <p class="cw-aside" data-role="quiet">
          {quiet.map(answerTitle).join(", ")}: {quiet.length > 1 ? "do" : "does"} not matter here
        </p>
      ) : null}
      {matter.length > 0 ? (
        <p class="cw-aside">The earlier right answers stand in the input.</p>
      ) : null}
    </>
  );
}

function Answer({ answer, test }: { answer: TestedAnswer; test: SwapTest }) {
  const texts = new Map(test.conditions.map(({ name, text }) => [name, text]));
  return (
    <section class="cw-tested" data-answer={answer.name}>
      <h4>
        <span>
          {answerTitle(answer)}
          {answer.title ? <small> {answer.name}</small> : null}, with the vector of
        </span>
        <small>
          <Term name="kept" /> | <Term name="unusual" />
        </small>
      </h4>
      <ul>
        {answer.bars
          .filter(({ condition }) => condition !== ZERO)
          .map((bar) => (
            <Bar
              key={bar.condition}
              bar={bar}
              text={texts.get(bar.condition) ?? bar.condition}
              answer={answer}
            />
          ))}
      </ul>
      {answer.follows.length > 0 ? <FollowsBars follows={answer.follows} /> : null}
    </section>
  );
}

/** Whether the answer follows when the value is changed. */
function FollowsBars({ follows }: { follows: readonly Follows[] }) {
  const stays = follows.at(-1)?.left_alone ?? null;
  return (
    <>
      <h4>
        <Term name="follows" />
        <small>
          share | <Term name="pairs" />
        </small>
      </h4>
      <ul data-role="follows">
        {follows.map((row) => (
          <FollowsBar key={row.pairs} row={row} />
        ))}
      </ul>
      {stays === null ? null : <p class="cw-aside">other answers stay: {percentText(stays)}</p>}
    </>
  );
}

function FollowsBar({ row }: { row: Follows }) {
  const { share, low, high, chance } = row;
  const said = followsText(row);
  return (
    <li
      class="cw-swap-bar"
      data-pairs={row.pairs}
      style={{ "--cw-share": `${100 * (share ?? 0)}%` }}
      data-tip={said}
      aria-label={said}
    >
      <div>
        {low === null || high === null ? null : (
          <i
            class="cw-whisker"
            style={{ left: `${100 * low}%`, width: `${100 * (high - low)}%` }}
          />
        )}
        {chance === null ? null : <i class="cw-chance" style={{ left: `${100 * chance}%` }} />}
        <span>{pairsText(row.pairs)}</span>
      </div>
      <b>{recoveredText(share)}</b>
      <small>{countText(row.n)}</small>
    </li>
  );
}

function Bar({ bar, text, answer }: { bar: SwapBar; text: string; answer: TestedAnswer }) {
  const { condition, recovered, low, high } = bar;
  const baseline = condition === BASELINE;
  const said = barText(bar, baseline ? `${text} (the baseline)` : text, answer);
  return (
    <li
      class="cw-swap-bar"
      data-condition={condition}
      data-baseline={baseline || undefined}
      style={{ "--cw-share": `${100 * onScale(recovered ?? 0)}%` }}
      data-tip={said}
      aria-label={said}
    >
      <div>
        {low === null || high === null ? null : (
          <i
            class="cw-whisker"
            style={{
              left: `${100 * onScale(low)}%`,
              width: `${100 * (onScale(high) - onScale(low))}%`,
            }}
          />
        )}
        <span>{text}</span>
        {baseline ? (
          <em>
            <Term name="baseline" />
          </em>
        ) : null}
      </div>
      <b>{recoveredText(recovered)}</b>
      <small data-far={isUnusual(bar.unusual) || undefined}>{timesText(bar.unusual)}</small>
    </li>
  );
}
