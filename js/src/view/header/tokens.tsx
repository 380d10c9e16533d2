import { useEffect, useRef } from "preact/hooks";
import { softmax } from "../../compute/scale";
import { fedParts } from "../../data/example";
import { looksAtPositions, parseStage } from "../../data/stage";
import type { Exploration } from "../../state/exploration";
import type { Picture } from "../../state/picture";
import { SeenText } from "../parts/seen";
import { useSpan } from "../parts/span";

/** More positions than this seldom fit beside the buttons. */
const MANY = 20;
const MANY_CHARACTERS = 40;

/** How much the stage's head looks at each position, by name, for the selected example. */
function looks(picture: Picture | null): ReadonlyMap<string, number> | null {
  const kind = picture && parseStage(picture.stage)?.kind;
  if (!picture?.columns || !kind || !looksAtPositions(kind)) return null;
  const weights = kind === "pattern" ? picture.vector : softmax(picture.vector);
  return new Map(picture.columns.map((position, i) => [position, weights[i] ?? 0]));
}

/** Scroll a row of tokens sideways, so that the stage's own token is in the middle. */
function showHere(row: HTMLElement | null): void {
  const here = row?.querySelector("[data-here]");
  if (!row || !here) return;
  const { left, width } = here.getBoundingClientRect();
  const frame = row.getBoundingClientRect();
  row.scrollLeft += left + width / 2 - frame.left - frame.width / 2;
}

/** The tokens that the model is fed of the selected example, with the positions' names, and the answers. */
export function TokenRow({ exploration }: { exploration: Exploration }) {
  const contents = exploration.contents.value;
  const tokens = exploration.tokens.value;
  const selected = exploration.selected.value;
  const here = parseStage(exploration.stage.value)?.position ?? "";
  const row = useRef<HTMLDivElement>(null);
  const parts = contents && tokens ? fedParts(contents, tokens, selected) : null;
  const count = parts?.length ?? contents?.positions.length ?? 0;
  const characters = parts?.reduce((sum, { text }) => sum + text.length, 0) ?? 0;
  const many = count > MANY || characters > MANY_CHARACTERS || undefined;
  const { width } = useSpan(row);
  useEffect(() => showHere(row.current), [selected, here, tokens, width]);
  const weights = looks(exploration.picture.value);
  const boxes = (parts ?? []).map(({ name, text, answer }, at) => {
    const share = Math.round(100 * (weights?.get(name) ?? 0));
    const title = answer
      ? `${name}: the answer, which the model is not given.`
      : weights
        ? `Position ${name}: the head's attention to it is ${share}%.`
        : name
          ? `Position ${name}.`
          : "Fed to the model, at no position that is looked at.";
    return (
      <Token
        key={at}
        text={text}
        name={name}
        title={title}
        share={share}
        answer={answer}
        here={!answer && name.split(", ").includes(here)}
      />
    );
  });
  const answersAt = boxes.length - (parts?.filter(({ answer }) => answer).length ?? 0);
  return (
    <div
      ref={row}
      class="cw-tokens"
      data-role="tokens"
      data-many={many}
      data-looks={weights ? true : undefined}
      role="group"
      aria-label="the selected example"
      tabIndex={many ? 0 : undefined}
    >
      {boxes.slice(0, answersAt)}
      {answersAt < boxes.length ? <span class="cw-answers">{boxes.slice(answersAt)}</span> : null}
    </div>
  );
}

interface TokenProps {
  readonly text: string;
  readonly name: string;
  readonly title: string;
  /** How much of the box is filled, in percent. */
  readonly share: number;
  readonly answer: boolean;
  /** Whether it is the one that the stage is at. */
  readonly here?: boolean;
}

/** A token in its box, over the name of its position. */
export function Token({ text, name, title, share, answer, here }: TokenProps) {
  return (
    <span
      class={answer ? "cw-token cw-answer" : "cw-token"}
      data-tip={title}
      data-share={share}
      data-here={here || undefined}
      data-nameless={!name || undefined}
    >
      <b style={share > 0 ? { "--cw-share": `${share}%` } : {}}>
        <span>
          <SeenText text={text} token />
        </span>
      </b>
      <small>{name}</small>
    </span>
  );
}
