/** A piece of a text as a list shows it. */
export interface Excerpt {
  readonly text: string;
  /** Left out, because all have it or there is no room. */
  readonly gap: boolean;
  /** Whether it differs from the text that others are compared with. */
  readonly differs: boolean;
  /** Whether it is the word at the position that is looked at. */
  readonly here: boolean;
}

const GAP = "…";
/** What all share is written out where leaving it out saves no more than so many characters. */
const LEAST_SAVED = 4;
/** Of the room, what is left for what comes after the position. */
const AFTER = 0.3;
/** Words that are compared one by one; of longer texts, those that begin and end them alike. */
const MOST_COMPARED = 400;

/** The words of a text, each with the space before it. */
export function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/**
 * For each word, its counterpart in another text, or -1: those of a longest common subsequence, or
 * the words at the same place where as many of those are the same.
 * @param words and `own`: as `wordsOf` gives them
 */
export function counterparts(words: readonly string[], own: readonly string[]): Int32Array {
  const found = new Int32Array(words.length).fill(-1);
  const same = (i: number, j: number) => words[i]?.trim() === own[j]?.trim();
  let start = 0;
  while (start < words.length && start < own.length && same(start, start)) {
    found[start] = start;
    start++;
  }
  let [m, n] = [words.length, own.length];
  while (m > start && n > start && same(m - 1, n - 1)) found[--m] = --n;
  const [rows, columns] = [m - start, n - start];
  if (rows === 0 || columns === 0 || rows > MOST_COMPARED || columns > MOST_COMPARED) return found;
  // Lengths of the longest common subsequences of what is left from each place on.
  const width = columns + 1;
  const lengths = new Uint16Array((rows + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] as number;
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      lengths[i * width + j] = same(start + i, start + j)
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const inPlace = (i: number) => rows === columns && same(start + i, start + i);
  let count = 0;
  for (let i = 0; i < rows; i++) if (inPlace(i)) count++;
  if (count > 0 && count >= at(0, 0)) {
    for (let i = 0; i < rows; i++) if (inPlace(i)) found[start + i] = start + i;
    return found;
  }
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (same(start + i, start + j)) found[start + i++] = start + j++;
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return found;
}

/** Which words of a text all the others have too. */
export function sharedByAll(own: readonly string[], others: readonly (readonly string[])[]) {
  const shared = new Uint8Array(own.length).fill(others.length > 0 ? 1 : 0);
  for (const words of others) {
    const there = new Uint8Array(own.length);
    for (const j of counterparts(words, own)) if (j >= 0) there[j] = 1;
    there.forEach((has, j) => {
      if (!has) shared[j] = 0;
    });
  }
  return shared;
}

/**
 * Where the text of one of several tokens is in a label; null where it is not there. The last one
 * is looked for at the end. Tokens that the label lacks, such as special ones, are passed over.
 */
export function placeIn(label: string, texts: readonly string[], at: number): number | null {
  const last = texts[at]?.trim() ?? "";
  if (at === texts.length - 1 && last !== "" && label.trimEnd().endsWith(last)) {
    return label.lastIndexOf(last);
  }
  let end = 0;
  for (let i = 0; i <= at; i++) {
    const word = texts[i]?.trim() || (texts[i] ?? "");
    const start = word === "" ? -1 : label.indexOf(word, end);
    if (start < 0) continue;
    if (i === at) return start;
    end = start + word.length;
  }
  return null;
}

/**
 * A text beside another one: what differs is marked, what all share is left out but for the word
 * at the position, and of what is too long the part around the position is shown.
 *
 * @param other counterparts of the words, and which of the other text's words all share
 * @param focus where the position is, in characters, or null for the beginning
 * @param room how many characters there is room for
 */
export function excerpt(
  words: readonly string[],
  { found, shared }: { readonly found: Int32Array; readonly shared: Uint8Array },
  focus: number | null,
  room: number,
): Excerpt[] {
  const pieces: Excerpt[] = [];
  let from = 0;
  let gap = "";
  const close = () => {
    if (gap === "") return;
    const short = gap.trim().length <= LEAST_SAVED;
    pieces.push({ text: short ? gap : GAP, gap: !short, differs: false, here: false });
    gap = "";
  };
  words.forEach((word, i) => {
    const until = from + word.length;
    const here = focus !== null && focus >= from && focus < until;
    const j = found[i] ?? -1;
    if (!here && j >= 0 && shared[j]) gap += word;
    else {
      close();
      const text = here ? word.trimStart() : word;
      const space = word.slice(0, word.length - text.length);
      if (space !== "") pieces.push({ text: space, gap: false, differs: false, here: false });
      pieces.push({ text, gap: false, differs: j < 0, here });
    }
    from = until;
  });
  close();
  return joined(around(pieces, room));
}

/** The part of pieces that there is room for, around the one at the position. */
function around(pieces: readonly Excerpt[], room: number): Excerpt[] {
  const length = pieces.reduce((sum, { text }) => sum + text.length, 0);
  if (length <= room) return [...pieces];
  let before = 0;
  let middle = 0;
  for (const { text, here } of pieces) {
    before += text.length;
    if (here) middle = before;
  }
  const end = Math.max(room, Math.min(length, middle + Math.floor(AFTER * room)));
  const start = Math.max(0, end - room);
  const kept: Excerpt[] = [];
  const cut = { text: GAP, gap: true, differs: false, here: false };
  if (start > 0) kept.push(cut);
  let from = 0;
  for (const piece of pieces) {
    const until = from + piece.text.length;
    // A sign stands for one character at either end.
    const text = piece.text.slice(
      Math.max(0, start + (start > 0 ? 1 : 0) - from),
      Math.max(0, end - (end < length ? 1 : 0) - from),
    );
    if (text !== "") kept.push(piece.gap ? piece : { ...piece, text });
    from = until;
  }
  if (end < length) kept.push(cut);
  return kept;
}

/** Pieces that look alike, as one. */
function joined(pieces: readonly Excerpt[]): Excerpt[] {
  const found: Excerpt[] = [];
  for (const piece of pieces) {
    const last = found.at(-1);
    if (last?.gap && piece.gap) continue;
    if (
      last &&
      last.gap === piece.gap &&
      last.differs === piece.differs &&
      last.here === piece.here
    )
      found[found.length - 1] = { ...last, text: last.text + piece.text };
    else found.push(piece);
  }
  return found;
}
