/** A piece of a text, or a sign for what cannot be seen there. */
export interface Seen {
  readonly text: string;
  /** What the sign stands for, in a word; null for what is written as it is. */
  readonly said: string | null;
}

/** What a text is: a token, or a text, or a piece of one that does not have its start or its end. */
export interface Ends {
  readonly token?: boolean;
  readonly start?: boolean;
  readonly end?: boolean;
}

/** The names of special tokens, as tokenizers write them. */
const SPECIAL = "bos|eos|pad|unk|mask|cls|sep|s|start_of_turn|end_of_turn";
// clusterwidget/plot/words.py has the same rule; the vectors hold both to it.
const SIGNS = new RegExp(
  [
    `<\\|(?<bar>[^|<>\\s]{1,40})\\|>|<(?<name>/?(?:${SPECIAL}))>|\\[(?<upper>CLS|SEP|PAD|MASK|UNK|BOS|EOS)\\]`,
    "(?<line>\\r\\n|[\\r\\n])",
    "(?<tab>\\t)",
    "(?<spaces> +)",
    "(?<unseen>\\p{Cc}|\\p{Cf}|\\p{Cs}|\\p{Cn}|\\p{Zl}|\\p{Zp})",
  ].join("|"),
  "gu",
);

/**
 * A text in which everything is seen: line ends, tabs and special tokens have a sign, and so have
 * spaces where they would be overlooked: at its ends, more than one together, or all of a token.
 */
export function seen(text: string, { token = false, start = true, end = true }: Ends = {}): Seen[] {
  const pieces: Seen[] = [];
  let from = 0;
  for (const match of text.matchAll(SIGNS)) {
    const { bar, name, upper, line, tab, spaces } = match.groups ?? {};
    const special = bar ?? name ?? upper?.toLowerCase();
    const until = match.index + match[0].length;
    if (spaces !== undefined) {
      const inside = !(start && match.index === 0) && !(end && until === text.length);
      if (!token && inside && spaces.length === 1) continue;
    }
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), said: null });
    from = until;
    if (special !== undefined) pieces.push({ text: `⟨${special}⟩`, said: `token ${special}` });
    else if (line !== undefined) pieces.push({ text: "↵", said: "line end" });
    else if (tab !== undefined) pieces.push({ text: "⇥", said: "tab" });
    else if (spaces !== undefined) {
      const said = spaces.length === 1 ? "space" : `${spaces.length} spaces`;
      pieces.push({ text: "·".repeat(spaces.length), said });
    } else pieces.push({ text: "\ufffd", said: "unseen character" });
  }
  if (from < text.length) pieces.push({ text: text.slice(from), said: null });
  return pieces;
}

/** The same as one text. */
export function seenText(text: string, token = false): string {
  return seen(text, { token })
    .map((piece) => piece.text)
    .join("");
}
