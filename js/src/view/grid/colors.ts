import { computed } from "@preact/signals";
import { shownMask, tablePlaces } from "../../compute/axis";
import { type Coloring, coloringByConcept, distanceColors } from "../../compute/coloring";
import { nearest } from "../../compute/distances";
import type { Exploration } from "../../state/exploration";
import type { Picture } from "../../state/picture";
import type { GridColors, Marks } from "./canvas";

/** Makes the colors of pictures; it keeps what costs time, and reuses its arrays. */
export function colorsOf(exploration: Exploration): (picture: Picture) => GridColors {
  const { colored, display, filtering, preview } = exploration;
  let places = new Uint8Array(0);
  let placed: { ranked: unknown; scale: unknown } | null = null;
  let mask = new Uint8Array(0);
  let both = new Uint8Array(0);
  /** What the filter lets through and is chosen; null for all. */
  const suited = (n: number) => {
    const [a, b] = [filtering.mask.value, exploration.choice.mask.value].map((found) =>
      found?.length === n ? found : null,
    );
    if (!a || !b) return a ?? b ?? null;
    if (both.length !== n) both = new Uint8Array(n);
    for (let i = 0; i < n; i++) both[i] = (a[i] as number) & (b[i] as number);
    return both;
  };
  const byConcept = computed(
    () => colored.value && coloringByConcept(colored.value, display.palette.value),
  );
  const tables = computed(() => distanceColors(display.palette.value, display.near.value));
  return (picture) => {
    const ranked = preview.value ?? picture.ranked;
    const scale = display.scale.value;
    const n = ranked.order.length;
    if (mask.length !== n) [mask, places] = [new Uint8Array(n), new Uint8Array(n)];
    let coloring: Coloring | null = byConcept.value;
    if (!coloring) {
      if (placed?.ranked !== ranked || placed.scale !== scale) tablePlaces(ranked, scale, places);
      placed = { ranked, scale };
      coloring = { ...tables.value, indexes: places };
    }
    return {
      ...coloring,
      mask: shownMask(ranked.distances, display.band.value, suited(n), mask),
      order: byConcept.value ? null : ranked.order,
    };
  };
}

/** What is marked over the cells of a picture. */
export function marksOf(exploration: Exploration, picture: Picture): Marks {
  return {
    selected: picture.selected,
    neighbors: nearest(picture.ranked.order, picture.selected, exploration.k.value),
    singled: exploration.knowledge.marked.value,
    pointed: exploration.pointed.value,
    donor: exploration.swaps.asked.value?.donor ?? null,
  };
}
