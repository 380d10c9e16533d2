import type { Atlas } from "../data/atlas";

/** A hue on the map, and what it stands for. */
export interface Hue {
  readonly name: string;
  readonly color: string;
}

/** Told apart by color-blind eyes in this order, also when pale; none is near the accent. */
const HUES = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#c4501b",
  "#8457c9",
  "#56b4e9",
  "#a39a00",
  "#8a6d5b",
];

const OTHER: Hue = { name: "other", color: "#7f7f7f" };

/** The hue of each concept: that of its family, or, where there are no families, its own. */
export function huesOf(atlas: Atlas): Hue[] {
  const { concepts, families } = atlas;
  const inFamilies = families.some((family) => family !== null);
  const found = new Map<string, Hue>();
  return concepts.map((concept, i) => {
    const name = inFamilies ? families[i] : concept;
    if (name == null) return OTHER;
    const color = HUES[found.size];
    const hue = found.get(name) ?? (color === undefined ? OTHER : { name, color });
    if (hue !== OTHER) found.set(name, hue);
    return hue;
  });
}
