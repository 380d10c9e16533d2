import type { Exploration } from "../../state/exploration";
import { countText } from "../../words/text";

interface Props {
  readonly exploration: Exploration;
  readonly neighbors: Uint32Array;
  /** How many neighbors there could be. */
  readonly most: number;
}

/** What the lists beside the grid count: the nearest of all, and how many of them pass a filter. */
export function FilterNote({ exploration, neighbors, most }: Props) {
  const mask = exploration.filtering.mask.value;
  if (!mask) return <>of {countText(most)}</>;
  const pass = countText(neighbors.reduce((count, example) => count + (mask[example] ?? 0), 0));
  const said = `The nearest of all ${countText(most)} others: ${pass} of them pass the filter.`;
  return (
    <span data-role="filter-note" data-tip={said}>
      {pass} pass
    </span>
  );
}
