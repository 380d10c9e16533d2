import type { Lens } from "../../data/lens";
import type { Exploration } from "../../state/exploration";
import { NO_LENS_SAVED } from "../../words/saved";
import { contributionText, percentText, visibleToken } from "../../words/text";
import { ProgressBar } from "../parts/progress";
import { SeenText } from "../parts/seen";
import { Term } from "../parts/term";

/** Characters of a token that there is room for. */
const LONG = 10;

/** What the model would answer if it stopped at the stage, for the selected example. */
export function LensBlock({ exploration }: { exploration: Exploration }) {
  const hasModel = exploration.contents.value?.hasModel ?? false;
  const picture = exploration.settled.value;
  const lens = exploration.knowledge.lens.value;
  if (exploration.saved.value && hasModel) {
    return (
      <section class="cw-lens" data-role="lens">
        <p class="cw-aside">{NO_LENS_SAVED}</p>
      </section>
    );
  }
  if (!lens || !hasModel) return null;
  const stale = lens.stage !== picture?.stage || lens.row !== picture.selected;
  return (
    <section class="cw-lens" data-role="lens" data-stale={stale || undefined}>
      {lens.available ? (
        <Tokens lens={lens} />
      ) : lens.waits ? (
        <Waiting exploration={exploration} lens={lens} />
      ) : (
        <p class="cw-aside" data-tip={lens.reason}>
          What is here is no part of the answer itself, so it cannot be read as one.
        </p>
      )}
    </section>
  );
}

/** The model is loaded when it is first needed: on request, or with the first swap or trace. */
function Waiting({ exploration, lens }: { exploration: Exploration; lens: Lens }) {
  const { knowledge, settled, k } = exploration;
  const progress = knowledge.loadingModel.progress.value;
  const problem = knowledge.unloaded.value;
  if (progress) {
    return (
      <p class="cw-testing" data-role="loading-model" role="status">
        <ProgressBar progress={progress} />
        <span>{progress.title}</span>
      </p>
    );
  }
  return (
    <>
      <p class="cw-aside" data-tip={problem}>
        {problem === "" ? "What the model would answer if it stopped here:" : problem}
      </p>
      <button
        type="button"
        class="cw-run"
        data-role="load-model"
        onClick={() => {
          const { stage, selected } = settled.value ?? { stage: lens.stage, selected: lens.row };
          void knowledge.load(stage, selected, k.value);
        }}
      >
        load the model
      </button>
    </>
  );
}

function Tokens({ lens }: { lens: Lens }) {
  const { kind, tokens, answer, same, of } = lens;
  const added = kind === "contribution";
  const most = added ? Math.max(...tokens.map(({ value }) => Math.abs(value)), 1e-9) : 1;
  const written = added ? contributionText : percentText;
  return (
    <>
      <h4>
        <Term name={added ? "contribution" : "lens"}>
          {added ? "adds to the answer" : "if the model stopped here"}
        </Term>
        {answer ? <small>for {answer.name}</small> : null}
      </h4>
      <ol>
        {tokens.map(({ text, value }, i) => {
          const right = answer?.text === text;
          return (
            <li key={i} class="cw-token-bar" data-right={right || undefined}>
              <b data-tip={text.length > LONG ? visibleToken(text) : undefined}>
                <SeenText text={text} token />
              </b>
              <span>
                <i style={{ width: `${(100 * Math.max(0, value)) / most}%` }} />
              </span>
              <small>{written(value)}</small>
              <em data-tip={right ? "The right answer." : ""}>{right ? "✓" : ""}</em>
            </li>
          );
        })}
      </ol>
      <p class="cw-aside" data-tip="At so many of the neighbors the same token comes first.">
        {answer && !tokens.some(({ text }) => text === answer.text)
          ? `${visibleToken(answer.text)} is right; `
          : ""}
        the same at {same} of {of} neighbors
      </p>
    </>
  );
}
