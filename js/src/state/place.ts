import type { Arrange } from "../data/layout";
import type { Metric } from "../data/metric";

/** The selected example, the stage and the arrangement. */
export interface Place {
  readonly selected: number;
  readonly stage: string;
  readonly arrange: Arrange;
  /** Row and column concept, or none to follow the stage. */
  readonly arrangeBy: readonly string[];
  /** The concepts that are set aside. */
  readonly without: readonly string[];
  /** What the distances are. */
  readonly metric: Metric;
  /** In the examples' own order, whatever `arrangeBy` says. */
  readonly plain: boolean;
}

/** What undo and redo move between: a place, and what changes what is faded alone. */
export interface Visit extends Place {
  readonly filter: string;
  /** The chosen examples, as a text: see `compute/chosen.ts`. */
  readonly chosen: string;
}

export function samePlace(a: Place, b: Place): boolean {
  return (
    a.selected === b.selected &&
    a.stage === b.stage &&
    a.plain === b.plain &&
    a.metric === b.metric &&
    a.arrange === b.arrange &&
    a.arrangeBy.join("\n") === b.arrangeBy.join("\n") &&
    a.without.join("\n") === b.without.join("\n")
  );
}

export function sameVisit(a: Visit, b: Visit): boolean {
  return samePlace(a, b) && a.filter === b.filter && a.chosen === b.chosen;
}
