import { softmax } from "../../compute/scale";
import { partsOf } from "../../data/example";
import { looksAtPositions, parseStage } from "../../data/stage";
import type { Exploration } from "../../state/exploration";
import type { Picture } from "../../state/picture";
import { visibleToken } from "../../words/text";

/** More positions than this seldom fit beside the buttons. */
const MANY = 20;

/** How much the stage's head looks at each position, by name, for the selected example. */
function looks(picture: Picture | null): ReadonlyMap<string, number> | null {
  const kind = picture && parseStage(picture.stage)?.kind;
  if (!picture?.columns || !kind || !looksAtPositions(kind)) return null;
  const weights = kind === "pattern" ? picture.vector : softmax(picture.vector);
  return new Map(picture.columns.map((position, i) => [position, weights[i] ?? 0]));
}

/** The selected example's tokens, each with its position's name, and the answer where it is no position. */
export function TokenRow({ exploration }: { exploration: Exploration }) {
  const contents = exploration.contents.value;
  const tokens = exploration.tokens.value;
  const selected = exploration.selected.value;
  const many = (contents?.positions.length ?? 0) > MANY || undefined;
  if (!contents || !tokens) return <div class="cw-tokens" data-role="tokens" data-many={many} />;
  const weights = looks(exploration.picture.value);
  return (
    <div
      class="cw-tokens"
      data-role="tokens"
      data-many={many}
      data-looks={weights ? true : undefined}
    >
      {partsOf(contents, tokens, selected).map(({ name, text, answer }) => {
        const share = Math.round(100 * (weights?.get(name) ?? 0));
        const title = answer
          ? `${name}: the answer, which the model is not given.`
          : weights
            ? `Position ${name}: the head's attention to it is ${share}%.`
            : `Position ${name}.`;
        return (
          <Token key={name} text={text} name={name} title={title} share={share} answer={answer} />
        );
      })}
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
}

/** A token in its box, over the name of its position. */
export function Token({ text, name, title, share, answer }: TokenProps) {
  return (
    <span class={answer ? "cw-token cw-answer" : "cw-token"} data-tip={title} data-share={share}>
      <b style={share > 0 ? { "--cw-share": `${share}%` } : {}}>{visibleToken(text)}</b>
      <small>{name}</small>
    </span>
  );
}
