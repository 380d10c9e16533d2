import { useComputed } from "@preact/signals";
import {
  ALL_SAME,
  type Atlas,
  type Hue,
  largestShares,
  meaningAt,
  NOTHING,
} from "../../data/atlas";
import type { Sets } from "../../data/swaptest";
import type { Exploration } from "../../state/exploration";
import { describeConcept } from "../../words/concept";
import { NOT_SAVED } from "../../words/saved";
import { type Sign, signOf, signText } from "../../words/swaptest";
import { percentText } from "../../words/text";
import type { Tip } from "../parts/tooltip";
import { SecondLegend } from "./second";
import { VerdictLegend, verdictTip } from "./verdicts";

const EXPLAINS = "what explains it";
const TESTS = "swap tests";
const SECOND = "the second part";
/** What each says of a stage, in a sentence. */
const MEANT: Readonly<Record<string, string>> = {
  [EXPLAINS]:
    "Each stage has the color of the concept that explains most of the distances there, the stronger the more.",
  [SECOND]:
    "Each stage has the color of the concept that explains most of what the first one leaves.",
  [TESTS]: "Each stage shows what its swap test says.",
};
const RUNNERS_UP = 3;
/** A second part adds at most a half: its color has full strength there. */
const SECOND_STRENGTH = 2;

/** How a stage's cell looks. */
export interface StageLook {
  /** CSS color, or null for the neutral one. */
  readonly color: string | null;
  /** Whether all examples are the same there. */
  readonly same: boolean;
  /** In words, or "". */
  readonly text: string;
  /** What is compared where one stage stands for a layer; none is less than nothing found. */
  readonly strength: number;
  /** What its swap test says, where the map shows that. */
  readonly sign?: Sign;
  readonly sets?: Sets;
}

const PLAIN: StageLook = { color: null, same: false, text: "", strength: -2 };
/** From the verdict that says least. */
const SIGNS: readonly Sign[] = [
  "untested",
  "irrelevant",
  "undecided",
  "insufficient",
  "mean",
  "enough",
];

/** A hue at the strength of an explained share, over the neutral color of cells. */
function shaded(hue: Hue | undefined, share: number): string | null {
  const percent = Math.round(100 * share);
  return hue && percent > 0
    ? `color-mix(in oklab, ${hue.color} ${percent}%, var(--cw-cell))`
    : null;
}

/** How a stage's cell looks, by the stage's address. */
export function useStageLooks(exploration: Exploration): (stage: string) => StageLook {
  const { knowledge, madeOf, swapTests } = exploration;
  return useComputed(() => {
    if (swapTests.mapped.value) {
      const known = swapTests.known.value;
      return (stage: string): StageLook => {
        const tested = known.get(stage);
        const sign = signOf(tested);
        const strength = SIGNS.indexOf(sign);
        return { ...PLAIN, text: signText(tested), sign, sets: tested?.sets ?? null, strength };
      };
    }
    if (madeOf.mapped.value) {
      const second = madeOf.second.value;
      return (stage: string): StageLook => {
        const part = second.get(stage);
        if (!part || part.concept === "") return PLAIN;
        const hue = { name: part.concept, color: part.color };
        const text = `${part.concept} adds ${percentText(part.adds)}`;
        const color = shaded(hue, Math.min(1, SECOND_STRENGTH * part.adds));
        return { color, same: false, text, strength: part.adds };
      };
    }
    const atlas = knowledge.atlas.value;
    if (!atlas) return () => PLAIN;
    const { hues } = atlas;
    const chosen = chosenConcept(atlas, knowledge.mapped.value);
    return (stage: string): StageLook => {
      const meaning = meaningAt(atlas, stage, chosen);
      if (!meaning) return PLAIN;
      const { concept, share } = meaning;
      if (concept === ALL_SAME) return SAME;
      if (concept === NOTHING) return UNNAMED;
      const text = `${atlas.concepts[concept]} explains ${percentText(share)}`;
      return { color: shaded(hues[concept], share), same: false, text, strength: share };
    };
  }).value;
}

const sameText = "all examples are the same here";
const nothingText = "none of the concepts explains it";
const SAME: StageLook = { color: null, same: true, text: sameText, strength: -1 };
const UNNAMED: StageLook = { color: null, same: false, text: nothingText, strength: 0 };

/** Which concepts a hue stands for. */
function hueTip({ concepts, hues }: Atlas, name: string): string {
  const own = concepts.filter((_, i) => hues[i]?.name === name);
  return own.length === 1 && own[0] === name
    ? `Where ${name} explains most.`
    : `Where one of these explains most: ${own.join(", ")}.`;
}

function shareTip({ contents }: Exploration, name: string): string {
  const said = describeConcept(contents.value?.descriptions, name);
  const share = `How much of the distances at each stage ${name} explains.`;
  return said === "" ? share : `${share}\n${said}`;
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

function chosenConcept(atlas: Atlas, mapped: string | null): number | null {
  const index = mapped === null ? -1 : atlas.concepts.indexOf(mapped);
  return index < 0 ? null : index;
}

/** What the atlas says of a stage, for the note at the pointer. */
export function explainedTip(exploration: Exploration, stage: string): Partial<Tip> {
  if (exploration.swapTests.mapped.value) return verdictTip(exploration, stage);
  if (exploration.madeOf.mapped.value) return secondTip(exploration, stage);
  const { atlas, mapped } = exploration.knowledge;
  const meaning =
    atlas.value && meaningAt(atlas.value, stage, chosenConcept(atlas.value, mapped.value));
  if (!atlas.value || !meaning) return {};
  const { concept, share } = meaning;
  if (concept === ALL_SAME) return { note: sameText };
  const others = largestShares(atlas.value, stage, RUNNERS_UP, concept);
  const rows = others.map((other) => [other.concept, percentText(other.share)] as const);
  if (concept === NOTHING) return { note: nothingText, rows };
  const name = atlas.value.concepts[concept] ?? "";
  const said = describeConcept(exploration.contents.value?.descriptions, name);
  const note = `${name} explains ${percentText(share)} of the distances`;
  return { note: said === "" ? note : `${note}\n${said}`, rows };
}

function secondTip({ madeOf, contents }: Exploration, stage: string): Partial<Tip> {
  const part = madeOf.second.value.get(stage);
  if (!part) return {};
  if (part.concept === "") return { note: "there is no second part" };
  const said = describeConcept(contents.value?.descriptions, part.concept);
  const note = `${part.concept} explains another ${percentText(part.adds)} of the distances`;
  return { note: said === "" ? note : `${note}\n${said}` };
}

/** Chooses what the colors of the stage map say. */
export function ExplainedChoice({ exploration }: { exploration: Exploration }) {
  const { atlas, mapped } = exploration.knowledge;
  const tests = exploration.swapTests.mapped;
  const contents = exploration.contents.value;
  const concepts = atlas.value?.concepts ?? [];
  if (concepts.length === 0 && !contents?.hasModel) return null;
  const second = exploration.madeOf.mapped;
  const first = [EXPLAINS];
  if (concepts.length > 0) first.push(SECOND);
  if (contents?.hasModel) first.push(TESTS);
  const concept = mapped.value === null ? -1 : concepts.indexOf(mapped.value);
  const special = tests.value ? TESTS : second.value ? SECOND : EXPLAINS;
  const chosen =
    special === EXPLAINS && concept >= 0 ? first.length + concept : first.indexOf(special);
  return (
    <select
      data-role="explained-by"
      aria-label="what the colors of the stages say"
      data-tip={
        (special === EXPLAINS && concept >= 0 ? undefined : MEANT[special]) ??
        shareTip(exploration, mapped.value ?? "")
      }
      // Concepts can have any name, even one of these options'.
      value={chosen}
      onChange={(event) => {
        const at = Number(event.currentTarget.value);
        tests.value = first[at] === TESTS;
        second.value = first[at] === SECOND;
        mapped.value = concepts[at - first.length] ?? null;
      }}
    >
      {[...first, ...concepts].map((option, at) => (
        <option
          key={at}
          value={at}
          title={MEANT[option] ?? describeConcept(contents?.descriptions, option)}
        >
          {option}
        </option>
      ))}
    </select>
  );
}

/** Whether some stages on the map were not saved with the page. */
function lacksStages({ saved }: Exploration, { stages }: Atlas): boolean {
  const there = saved.value?.stages;
  return there !== undefined && [...stages.keys()].some((stage) => !there.has(stage));
}

/** What the hues on the stage map stand for. */
export function ExplainedLegend({ exploration }: { exploration: Exploration }) {
  const { atlas: found, mapped } = exploration.knowledge;
  const atlas = found.value;
  if (exploration.swapTests.mapped.value) return <VerdictLegend exploration={exploration} />;
  if (!atlas) return null;
  if (exploration.madeOf.mapped.value) return <SecondLegend exploration={exploration} />;
  const { hues } = atlas;
  const chosen = chosenConcept(atlas, mapped.value);
  const best = new Set(atlas.best);
  const same = best.has(ALL_SAME);
  const hue = chosen === null ? undefined : hues[chosen];
  const shown = new Set(hues.filter((_, concept) => best.has(concept)));
  return (
    <div class="cw-swatches cw-key" data-role="atlas-legend">
      {hue ? (
        <span data-tip={shareTip(exploration, mapped.value ?? "")}>
          0%
          <i
            class="cw-strength"
            style={{ background: `linear-gradient(to right, var(--cw-cell), ${hue.color})` }}
          />
          100% {mapped.value}
        </span>
      ) : (
        [...shown].map(({ name, color }) => (
          <span key={name} data-tip={hueTip(atlas, name)}>
            <i style={{ background: color }} />
            {name}
          </span>
        ))
      )}
      {same ? (
        <span data-tip={sentence(sameText)}>
          <i class="cw-same" />
          all the same
        </span>
      ) : null}
      {lacksStages(exploration, atlas) ? (
        <span data-tip="The page has no vectors of these stages, so they cannot be chosen.">
          <i class="cw-unsaved" />
          {NOT_SAVED}
        </span>
      ) : null}
      {atlas.notes.length > 0 ? (
        <button type="button" class="cw-term" data-role="notes" data-tip={atlas.notes.join("\n")}>
          notes
        </button>
      ) : null}
    </div>
  );
}
