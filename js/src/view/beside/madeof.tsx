import { isKeyOf, leftKey } from "../../data/left";
import type { Component, StagePart, StageParts } from "../../data/parts";
import type { Exploration } from "../../state/exploration";
import { NEEDS_NOTEBOOK } from "../../words/saved";
import { chanceText, distanceText, percentText } from "../../words/text";
import { ProgressBar, progressText } from "../parts/progress";
import { ConceptName, Term } from "../parts/term";
import { PartsBar } from "./partsbar";
import { StageName } from "./stagename";

/** Share that nothing named explains, above which the directions of what is left are offered. */
const MUCH = 0.1;
const ENDS = 2;

/** What the stage is made of; each part can be set aside. */
export function MadeOfPanel({ exploration }: { exploration: Exploration }) {
  const { madeOf } = exploration;
  const stage = exploration.stage.value;
  const without = exploration.without.value;
  const known = madeOf.parts.value;
  const parts = known && isKeyOf(known.key, stage, exploration.metric.value) ? known : null;
  const looking = madeOf.looking.progress.value;
  const naming = madeOf.naming.progress.value;
  const progress = naming ?? looking;
  const press = (concepts: readonly string[], aside: boolean, started: number) =>
    exploration.setAside(concepts, aside, started);
  return (
    <>
      <h3>
        <span class="cw-near-what">
          <StageName exploration={exploration} stage={stage} />
          {" is made of"}
        </span>
      </h3>
      <div
        class="cw-scroll"
        data-role="made-of"
        data-at={parts?.key}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        tabIndex={0}
      >
        <div class="cw-tests">
          {progress ? (
            <div class="cw-testing" role="status">
              <ProgressBar progress={progress} />
              <span>{progressText(progress)}</span>
              <button
                type="button"
                data-role="stop-looking"
                onClick={() => (naming ? madeOf.naming.cancel() : madeOf.stop())}
              >
                cancel
              </button>
            </div>
          ) : null}
          {madeOf.stopped.value ? (
            <button
              type="button"
              class="cw-run"
              data-role="look"
              onClick={() => void madeOf.look({ stage, without, metric: exploration.metric.value })}
            >
              find what it is made of
            </button>
          ) : null}
          {madeOf.problem.value === "" ? null : (
            <p class="cw-error" role="alert">
              {madeOf.problem.value}
            </p>
          )}
          {parts ? (
            <>
              <PartsBar parts={parts} without={without} onPress={press} />
              <Table exploration={exploration} parts={parts} without={without} onPress={press} />
              <p class="cw-aside">
                <Term name="spread" /> {distanceText(parts.spread)}
              </p>
              <WhatIsLeft exploration={exploration} parts={parts} />
            </>
          ) : null}
        </div>
      </div>
    </>
  );
}

interface TableProps {
  readonly exploration: Exploration;
  readonly parts: StageParts;
  readonly without: readonly string[];
  readonly onPress: (concepts: readonly string[], aside: boolean, started: number) => void;
}

function Table({ exploration, parts: { parts, unexplained }, without, onPress }: TableProps) {
  if (unexplained === null) return <p class="cw-aside">All examples are the same here.</p>;
  return (
    <table class="cw-parts-table">
      <thead>
        <tr>
          <th scope="col">
            <Term name="part" />
          </th>
          <th scope="col">
            <Term name="alone" />
          </th>
          <th scope="col">
            <Term name="adds" />
          </th>
          <th scope="col">
            <Term name="only it" />
          </th>
          <th scope="col">
            <span class="cw-spoken">set aside</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {parts.map((part) => (
          <Row
            key={part.name}
            exploration={exploration}
            part={part}
            without={without}
            onPress={onPress}
          />
        ))}
        <tr>
          <th scope="row" colSpan={2}>
            <i class="cw-rest" />
            <Term name="unexplained">no concept</Term>
          </th>
          <td>{percentText(Math.max(0, unexplained))}</td>
          <td />
          <td />
        </tr>
      </tbody>
    </table>
  );
}

interface RowProps extends Omit<TableProps, "parts"> {
  readonly part: StagePart;
}

function Row({ exploration, part, without, onPress }: RowProps) {
  const { name, concepts, alone, adds, only, p, color } = part;
  const aside = concepts.every((concept) => without.includes(concept));
  const chance = `By chance it would add so much: ${chanceText(p)}, corrected for how many concepts were tried.`;
  return (
    <tr data-tip={chance}>
      <th scope="row">
        <i style={{ background: color }} />
        <ConceptName exploration={exploration} name={name} />
      </th>
      {[alone, adds, only].map((share, i) => (
        <td key={i}>{percentText(Math.max(0, share))}</td>
      ))}
      <td>
        <button
          type="button"
          aria-pressed={aside}
          data-tip={`${aside ? "Put" : "Take"} this part ${aside ? "back into" : "out of"} the vectors, and look at what is ${aside ? "there" : "left"}.`}
          aria-label={`set aside ${concepts.join(" and ")}`}
          data-set-aside={name}
          onClick={({ timeStamp }) => onPress(concepts, !aside, timeStamp)}
        >
          set aside
        </button>
      </td>
    </tr>
  );
}

/** The leading directions of what is left, and how to make concepts of them. */
function WhatIsLeft({ exploration, parts }: { exploration: Exploration; parts: StageParts }) {
  const without = exploration.without.value;
  const left = {
    stage: exploration.stage.value,
    without,
    metric: exploration.metric.value,
  };
  const here = parts.key === leftKey(left);
  const saved = exploration.saved.value !== null;
  const much = parts.unexplained !== null && parts.unexplained > MUCH;
  if (!here || parts.components.length === 0 || (!much && without.length === 0)) return null;
  const make = async (component: number | null) => {
    const name = await exploration.madeOf.name(left, component);
    if (name !== undefined) exploration.colorWhenRead(name);
  };
  return (
    <section class="cw-left" data-role="what-is-left">
      <h4>
        <Term name="left">what is left</Term>
        <small data-tip="The share of what is left that lies along this direction.">share</small>
      </h4>
      <ol>
        {parts.components.map((component, i) => (
          <li key={i}>
            <Ends exploration={exploration} component={component} />
            <small>{percentText(component.share)}</small>
            <button
              type="button"
              disabled={saved}
              title={saved ? NEEDS_NOTEBOOK : undefined}
              data-tip={
                saved
                  ? undefined
                  : "Divide the examples into ten along this direction, and color the grid by that."
              }
              onClick={() => void make(i)}
            >
              make it a concept
            </button>
          </li>
        ))}
      </ol>
      <button
        type="button"
        class="cw-run"
        disabled={saved}
        title={saved ? NEEDS_NOTEBOOK : undefined}
        onClick={() => void make(null)}
      >
        make a concept of the clusters
      </button>
    </section>
  );
}

function Ends({ exploration, component }: { exploration: Exploration; component: Component }) {
  const label = (example: number) => exploration.labels.value?.at(example) ?? String(example);
  const end = (examples: readonly number[]) => examples.slice(0, ENDS).map(label).join(", ");
  return (
    <span class="cw-ends" data-tip="The examples at the two ends of this direction.">
      {end(component.low)} <i>↔</i> {end(component.high)}
    </span>
  );
}
