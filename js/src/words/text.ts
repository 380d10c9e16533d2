/** A piece of a label, and whether the selected example has the same there. */
export interface Piece {
  readonly text: string;
  readonly shared: boolean;
}

function joined(texts: readonly string[], shared: readonly boolean[]): Piece[] {
  const pieces: { text: string; shared: boolean }[] = [];
  texts.forEach((text, i) => {
    if (text === "") return;
    const last = pieces.at(-1);
    if (last && last.shared === shared[i]) last.text += text;
    else pieces.push({ text, shared: shared[i] as boolean });
  });
  return pieces;
}

/** Where each token's text is in a label, one after the other, or null where one is not. */
function placesOf(
  texts: readonly string[],
  label: string,
): { start: number; end: number }[] | null {
  const places: { start: number; end: number }[] = [];
  let end = 0;
  for (const text of texts) {
    const word = text.trim() || text;
    const start = label.indexOf(word, end);
    if (start < 0) return null;
    end = start + word.length;
    places.push({ start, end });
  }
  return places;
}

/**
 * A label in pieces, those shared with the selected example marked.
 *
 * `tokens` and `own` are the token ids of this and of the selected example, `texts` what this one's
 * are written as, and `varies` says at which positions examples differ at all: what all have in
 * common is not worth marking. Where a label does not have its tokens in order, characters are compared.
 */
export function sharedPieces(
  label: string,
  ownLabel: string,
  tokens: readonly number[],
  own: readonly number[],
  texts: readonly string[],
  varies: readonly boolean[],
): Piece[] {
  const places = placesOf(texts, label);
  if (places) {
    const shared = (i: number) => tokens[i] === own[i] && (varies[i] ?? true);
    const ends = places.map(({ end }) => end);
    return joined(
      places
        .flatMap(({ start, end }, i) => [
          label.slice(ends[i - 1] ?? 0, start),
          label.slice(start, end),
        ])
        .concat(label.slice(ends.at(-1) ?? 0)),
      places.flatMap((_, i) => [false, shared(i)]).concat(false),
    );
  }
  const characters = Array.from(label);
  const ownCharacters = Array.from(ownLabel);
  const comparable = characters.length === ownCharacters.length;
  return joined(
    characters,
    characters.map((c, i) => comparable && c === ownCharacters[i]),
  );
}

/** A token as a person can see it: spaces and line ends have a sign. */
export function visibleToken(text: string): string {
  return text.replace(/ /g, "·").replace(/\n/g, "↵").replace(/\t/g, "⇥");
}

/** A distance with as many digits as tell it from its like; only an exact 0 is written 0. */
export function distanceText(distance: number): string {
  if (distance === 0) return "0";
  if (!Number.isFinite(distance)) return "–";
  const digits = Math.floor(Math.log10(Math.abs(distance)));
  if (digits >= 5 || digits < -4) return distance.toExponential(2);
  if (digits < -1) return distance.toPrecision(2);
  return distance.toFixed(Math.max(0, 3 - Math.max(0, digits)));
}

/** A whole number with commas between thousands. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A share in percent; only all is written 100%, and only none 0%. */
export function percentText(share: number): string {
  const percent = Math.round(100 * share);
  if (share > 0 && percent === 0) return "<1%";
  if (share < 1 && percent === 100) return ">99%";
  return `${percent}%`;
}

/** A chance, as exact as anyone needs. */
export function chanceText(chance: number): string {
  if (chance < 1e-9) return "less than 1 in a billion";
  return chance < 0.001 ? chance.toExponential(0) : chance.toPrecision(2);
}

/** A contribution with its sign. */
export function contributionText(value: number): string {
  return `${value < 0 ? "−" : "+"}${distanceText(Math.abs(value))}`;
}
