import type { Coded } from "../data/concepts";
import type { LabelSearch } from "./labelsearch";

/**
 * Which examples a text such as `carry2 = 1 and L0 > 5` stands for.
 * `clusterwidget/core/filters.py` is Python's own reading of the same texts.
 */
export type Filter =
  /** Labels that contain a text, whatever its case. */
  | { readonly kind: "text"; readonly text: string }
  /** = and != compare texts, or numbers where both are; < and so on compare numbers. */
  | {
      readonly kind: "compare";
      readonly name: string;
      readonly sign: string;
      readonly value: string;
    }
  | { readonly kind: "not"; readonly of: Filter }
  | { readonly kind: "and" | "or"; readonly of: readonly Filter[] };

interface Token {
  readonly kind: "sign" | "quote" | "word";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const LONGEST = 1000;
const DEEPEST = 50;
const LISTED = 12;
const TOKEN =
  /\s*(?:([()]|==|!=|<=|>=|[=<>])|("(?:[^"]|"")*"|'(?:[^']|'')*')|([^\s()=<>!"'][^\s()=<>!"]*))/y;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const WORD = /^(and|or|not)$/i;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  for (let at = 0; at < end; ) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) {
      throw new Error(
        text.slice(at).trimStart().startsWith("!")
          ? "“!” stands before “=” only: write “not”."
          : "A quote is not closed.",
      );
    }
    const [all, sign, quote, word] = match;
    at += all.length;
    const mark = quote?.[0] ?? "";
    const written = quote?.slice(1, -1).replaceAll(mark + mark, mark) ?? sign ?? word ?? "";
    const kind = sign ? "sign" : quote ? "quote" : "word";
    tokens.push({ kind, text: written, start: at - written.length, end: at });
  }
  return tokens;
}

/** Reads a filter, null for an empty text; throws where it cannot be read, and says why in words. */
export function parseFilter(text: string): Filter | null {
  if (Array.from(text).length > LONGEST) {
    throw new Error("A filter has at most 1,000 characters.");
  }
  const tokens = tokensOf(text);
  let at = 0;
  let depth = 0;
  const is = (kind: string, written: string) =>
    tokens[at]?.kind === kind && tokens[at]?.text.toLowerCase() === written;
  const takes = (kind: string, written: string) => is(kind, written) && at++ >= 0;
  const plain = (token: Token | undefined) => token?.kind === "word" && !WORD.test(token.text);

  /** One quoted text, or some words in a row with what is between them. */
  const operand = (most = LONGEST): string | null => {
    const first = tokens[at];
    if (first?.kind === "quote") {
      at++;
      return first.text;
    }
    if (!first || !plain(first)) return null;
    let { end } = first;
    for (let words = 0; words < most && plain(tokens[at]); words++, at++) {
      end = (tokens[at] as Token).end;
    }
    return text.slice(first.start, end);
  };
  const single = (): Filter => {
    const negates = takes("word", "not");
    if (negates || takes("sign", "(")) {
      if (++depth > DEEPEST) throw new Error("A filter has at most 50 parentheses in each other.");
      const of = negates ? single() : several("or");
      if (!negates && !takes("sign", ")")) throw new Error("A “(” is not closed.");
      depth--;
      return negates ? { kind: "not", of } : of;
    }
    const began = at;
    const name = operand();
    const sign = tokens[at];
    if (sign?.kind !== "sign" || /[()]/.test(sign.text)) {
      if (name !== null) return { kind: "text", text: name };
      throw new Error(
        at === 0
          ? `There is nothing before “${tokens[0]?.text}”.`
          : `There is nothing after “${tokens[at - 1]?.text}”.`,
      );
    }
    if (name === null) throw new Error(`There is no name before “${sign.text}”.`);
    if (at - began > 1) throw new Error(`Put quotes around “${name}”.`);
    at++;
    const value = operand(1);
    if (value === null) throw new Error(`There is no value after “${sign.text}”.`);
    if (/[<>]/.test(sign.text) && !NUMBER.test(value)) {
      throw new Error(`“${sign.text}” compares numbers, and “${value}” is none.`);
    }
    return { kind: "compare", name, sign: sign.text === "==" ? "=" : sign.text, value };
  };
  const several = (kind: "and" | "or"): Filter => {
    const part = () => (kind === "or" ? several("and") : single());
    const of = [part()];
    while (takes("word", kind)) of.push(part());
    return of.length === 1 ? (of[0] as Filter) : { kind, of };
  };

  if (tokens.length === 0) return null;
  const found = several("or");
  const left = tokens[at];
  if (!left) return found;
  if (is("sign", ")")) throw new Error("A “)” closes nothing.");
  throw new Error(`Put “and” or “or” before “${left.text}”, or quotes around a text.`);
}

/** The concepts that a filter asks for; throws where one is not among those there are. */
export function conceptsIn(filter: Filter, known: readonly string[]): string[] {
  if (filter.kind === "text") return [];
  if (filter.kind === "not") return conceptsIn(filter.of, known);
  if (filter.kind !== "compare") return filter.of.flatMap((part) => conceptsIn(part, known));
  if (known.includes(filter.name)) return [filter.name];
  const more = known.length > LISTED ? ", …" : "";
  const listed = known.length > 0 ? known.slice(0, LISTED).join(", ") + more : "none";
  throw new Error(
    `There is no concept “${filter.name}”; there are ${listed}. ` +
      "Quotes around all of it look for the text in labels.",
  );
}

/** Whether each example passes, 1 or 0, (n,). */
export function passing(
  filter: Filter,
  concepts: ReadonlyMap<string, Coded>,
  labels: LabelSearch,
): Uint8Array {
  if (filter.kind === "text") return labels.containing(filter.text);
  if (filter.kind === "compare") {
    return compared(filter.sign, filter.value, concepts.get(filter.name) as Coded);
  }
  if (filter.kind === "not")
    return passing(filter.of, concepts, labels).map((passes) => 1 - passes);
  const [first, ...others] = filter.of.map((part) => passing(part, concepts, labels));
  const mask = first as Uint8Array;
  for (const other of others) {
    for (let i = 0; i < mask.length; i++) {
      if (filter.kind === "and") (mask[i] as number) &= other[i] as number;
      else (mask[i] as number) |= other[i] as number;
    }
  }
  return mask;
}

function compared(sign: string, value: string, { name, values, codes, missing }: Coded) {
  const ordering = /[<>]/.test(sign);
  if (ordering && !values.some((text) => NUMBER.test(text))) {
    throw new Error(`“${sign}” compares numbers, and ${name} has none.`);
  }
  const sought = Number(value);
  const numeric = NUMBER.test(value);
  const holds = (text: string): boolean => {
    if (!numeric || !NUMBER.test(text)) return !ordering && text === value;
    const own = Number(text);
    if (sign === "<") return own < sought;
    if (sign === "<=") return own <= sought;
    if (sign === ">") return own > sought;
    return sign === ">=" ? own >= sought : own === sought;
  };
  // A missing value equals none.
  const unequal = sign === "!=" ? 1 : 0;
  const table = Uint8Array.from(values, (text) => Number(holds(text)) ^ unequal);
  const out = new Uint8Array(codes.length);
  for (let i = 0; i < out.length; i++) {
    const code = codes[i] as number;
    out[i] = code === missing ? unequal : (table[code] as number);
  }
  return out;
}
