import type { Contents, Labels, Tokens } from "./contents";

/** A token of an example, or an answer to it that stands at no position. */
export interface Part {
  /** Of the position, or of the answer. */
  readonly name: string;
  readonly token: number;
  readonly text: string;
  readonly answer: boolean;
}

/** An example as it reads: its tokens in order, then the answers that are at no position. */
export function partsOf(contents: Contents, tokens: Tokens, example: number): Part[] {
  const part = (name: string, token: number | undefined, answer: boolean): Part => ({
    name,
    token: token ?? -1,
    text: tokens.vocabulary[String(token)] ?? String(token ?? ""),
    answer,
  });
  const start = example * tokens.positions;
  return [
    ...contents.positions.map((position, i) => part(position, tokens.ids[start + i], false)),
    ...answersBeyond(contents).map(({ name, index }) =>
      part(name, tokens.answers[index]?.[example], true),
    ),
  ];
}

/** An example as a model is fed it: all its tokens, named where they are at positions, and answers. */
export function fedParts(contents: Contents, tokens: Tokens, example: number): Part[] {
  const parts = partsOf(contents, tokens, example);
  const { fed, positions } = tokens;
  if (!fed) return parts;
  const text = fed.texts[example] ?? 0;
  const names = new Map<number, string[]>();
  contents.positions.forEach((name, i) => {
    const at = fed.columns[example * positions + i] ?? -1;
    names.set(at, [...(names.get(at) ?? []), name]);
  });
  const own = fed.ids.slice(fed.starts[text], fed.starts[text + 1]);
  return [
    ...Array.from(own, (token, at) => ({
      name: names.get(at)?.join(", ") ?? "",
      token,
      text: tokens.vocabulary[String(token)] ?? String(token),
      answer: false,
    })),
    ...parts.filter(({ answer }) => answer),
  ];
}

/** Whether examples differ at all, for each part. */
export function partsVary(contents: Contents, tokens: Tokens): boolean[] {
  const { ids, positions } = tokens;
  const differs = contents.positions.map((_, position) => {
    for (let i = position; i < ids.length; i += positions) {
      if (ids[i] !== ids[position]) return true;
    }
    return false;
  });
  const answers = answersBeyond(contents).map(
    ({ index }) => tokens.answers[index]?.some((token, _, all) => token !== all[0]) ?? false,
  );
  return [...differs, ...answers];
}

function answersBeyond(contents: Contents): { name: string; index: number }[] {
  return contents.answers.flatMap(({ name }, index) =>
    contents.positions.includes(name) ? [] : [{ name, index }],
  );
}

/** The next example after `from` whose label has a text in it; throws where there is none. */
export function nextLabelled(labels: Labels, text: string, from: number): number {
  const sought = text.trim().toLowerCase();
  for (let step = 1; step <= labels.length; step++) {
    const example = (from + step) % labels.length;
    if (labels.at(example).toLowerCase().includes(sought)) return example;
  }
  throw new Error(`No example's label has “${text.trim()}” in it.`);
}
