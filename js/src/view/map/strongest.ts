import type { StageRow } from "../../data/contents";
import { stageText } from "../../data/stage";
import type { StageLook } from "./explained";
import type { Order } from "./lines";

/** The stage that stands for a folded layer at a position. */
export interface Strongest {
  readonly stage: string;
  readonly look: StageLook;
  /** Of how many stages of the layer there. */
  readonly of: number;
}

type Look = (stage: string) => StageLook;
export type FindStrongest = (rows: readonly StageRow[], at: number) => Strongest | null;

/**
 * Finds the stage of a layer that is explained most at a position; the later one of equals, so that
 * what leaves the layer stands for it where nothing is known. What was found is kept.
 */
export function strongestFinder(positions: readonly string[], look: Look): FindStrongest {
  const known = new WeakMap<readonly StageRow[], Map<number, Strongest | null>>();
  return (rows, at) => {
    const ofRows = known.get(rows) ?? new Map<number, Strongest | null>();
    known.set(rows, ofRows);
    const found = ofRows.get(at);
    if (found !== undefined) return found;
    const position = positions[at];
    let best: Omit<Strongest, "of"> | null = null;
    let of = 0;
    for (const row of rows) {
      if (!row.widths[at] || position === undefined) continue;
      const stage = stageText({ ...row, position });
      const its = look(stage);
      of += 1;
      if (!best || its.strength >= best.look.strength) best = { stage, look: its };
    }
    const strongest = best && { ...best, of };
    ofRows.set(at, strongest);
    return strongest;
  };
}

/** A layer's rows with the kinds that are explained most first; heads stay in order. */
export function strongestFirst(positions: readonly string[], look: Look): Order {
  return (rows) => {
    const strengths = new Map<string, number>();
    for (const row of rows) {
      let most = strengths.get(row.kind) ?? Number.NEGATIVE_INFINITY;
      positions.forEach((position, at) => {
        if (row.widths[at]) most = Math.max(most, look(stageText({ ...row, position })).strength);
      });
      strengths.set(row.kind, most);
    }
    const strength = ({ kind }: StageRow) => strengths.get(kind) ?? 0;
    return [...rows].sort((a, b) => strength(b) - strength(a));
  };
}
