import { computed, type ReadonlySignal } from "@preact/signals";
import { nearest } from "../compute/distances";
import {
  counterparts,
  type Excerpt,
  excerpt,
  placeIn,
  sharedByAll,
  wordsOf,
} from "../compute/excerpts";
import { fedParts } from "../data/example";
import { parseStage } from "../data/stage";
import type { Exploration } from "./exploration";

/** Labels of so many characters and words are texts: what differs is told, not what is shared. */
const LEAST_CHARACTERS = 25;
const LEAST_WORDS = 5;
/** What all share is what so many of the nearest share. */
const MOST_COMPARED = 50;

/** An example's text, in pieces, for so many characters of room. */
export type Excerpts = (example: number, room: number) => Excerpt[];

/** How texts are shown beside the selected one's; null where labels are no texts. */
export function excerptsOf(exploration: Exploration): ReadonlySignal<Excerpts | null> {
  return computed(() => {
    const { settled, labels, tokens, contents, k } = exploration;
    const [picture, now, known] = [settled.value, contents.value, labels.value];
    if (!picture || !now || !known) return null;
    const own = wordsOf(known.at(picture.selected));
    if (own.length < LEAST_WORDS || known.at(picture.selected).length < LEAST_CHARACTERS)
      return null;
    const { order } = picture.ranked;
    const near = nearest(order, picture.selected, Math.min(MOST_COMPARED, k.value));
    const shared = sharedByAll(
      own,
      Array.from(near, (example) => wordsOf(known.at(example))),
    );
    const nothing = new Uint8Array(own.length);
    const at = now.positions.indexOf(parseStage(picture.stage)?.position ?? "");
    const focusOf = (example: number) => {
      if (!tokens.value || at < 0) return null;
      const { fed, positions } = tokens.value;
      const parts = fedParts(now, tokens.value, example).filter(({ answer }) => !answer);
      return placeIn(
        known.at(example),
        parts.map(({ text }) => text),
        fed ? (fed.columns[example * positions + at] ?? at) : at,
      );
    };
    return (example, room) => {
      const words = wordsOf(known.at(example));
      const selected = example === picture.selected;
      const found = counterparts(words, own);
      return excerpt(words, { found, shared: selected ? nothing : shared }, focusOf(example), room);
    };
  });
}
