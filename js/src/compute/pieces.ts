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
