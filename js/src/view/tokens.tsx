import { softmax } from "../compute/scale";
import { looksAtPositions, parseStage } from "../compute/stage";
import { visibleToken } from "../compute/text";
import type { Exploration, Picture } from "../exploration";
import type { Tokens } from "../source/source";

/** What an example's tokens are written as, in order. */
export function tokenTexts(tokens: Tokens | null, example: number): string[] {
  if (!tokens) return [];
  const { ids, positions, vocabulary } = tokens;
  return Array.from(
    ids.subarray(example * positions, (example + 1) * positions),
    (id) => vocabulary[String(id)] ?? String(id),
  );
}

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
  if (!contents || !tokens) return <div class="cw-tokens" data-role="tokens" />;
  const weights = looks(exploration.picture.value);
  const texts = tokenTexts(tokens, selected);
  const beyond = contents.answers
    .map(({ name }, i) => ({ name, token: tokens.answers[i]?.[selected] }))
    .filter(({ name, token }) => token !== undefined && !contents.positions.includes(name));
  return (
    <div class="cw-tokens" data-role="tokens" data-looks={weights ? true : undefined}>
      {contents.positions.map((position, i) => {
        const weight = weights?.get(position);
        const share = weight === undefined ? 0 : Math.round(100 * weight);
        const title = weight === undefined ? position : `${position}: ${share}% of the look`;
        return (
          <Token key={position} text={texts[i] ?? ""} name={position} title={title} share={share} />
        );
      })}
      {beyond.map(({ name, token }) => (
        <Token
          key={name}
          text={tokens.vocabulary[String(token)] ?? String(token)}
          name={name}
          title={`${name}: the answer, not given to the model`}
          share={0}
          answer
        />
      ))}
    </div>
  );
}

interface TokenProps {
  readonly text: string;
  readonly name: string;
  readonly title: string;
  /** How much of the box is filled, in percent. */
  readonly share: number;
  readonly answer?: boolean;
}

function Token({ text, name, title, share, answer }: TokenProps) {
  return (
    <span class={answer ? "cw-token cw-answer" : "cw-token"} title={title} data-share={share}>
      <b style={share > 0 ? { "--cw-share": `${share}%` } : {}}>{visibleToken(text)}</b>
      <small>{name}</small>
    </span>
  );
}
