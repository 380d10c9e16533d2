import { interpolateViridis } from "d3-scale-chromatic";

/** Colors packed for an ImageData seen as Uint32Array: little-endian, so ABGR. */
export type ColorTable = Uint32Array;

const OPAQUE = 0xff000000;

/** "#rrggbb" or "rgb(r, g, b)" as [r, g, b]. */
export function channels(color: string): [number, number, number] {
  if (color.startsWith("#")) {
    const v = Number.parseInt(color.slice(1), 16);
    return [v >> 16, (v >> 8) & 255, v & 255];
  }
  const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b];
}

export function packed(color: string): number {
  const [r, g, b] = channels(color);
  return (OPAQUE | (b << 16) | (g << 8) | r) >>> 0;
}

/** Color for a share of the scale: 0 is near and bright, 1 is far and dark (viridis). */
export function distanceColor(share: number): string {
  return interpolateViridis(1 - share);
}

/** The 256 colors of distances. */
export function distanceTable(): ColorTable {
  return Uint32Array.from({ length: 256 }, (_, i) => packed(distanceColor(i / 255)));
}

/** Okabe and Ito's eight colors for categories, told apart by color-blind eyes too. */
const CATEGORIES = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#f0e442",
  "#7f7f7f",
];

/** The same again, paler, where eight are not enough. */
const MORE_CATEGORIES = [...CATEGORIES, ...CATEGORIES.map(paler)];

function paler(color: string): string {
  const mixed = channels(color).map((v) => Math.round(0.45 * v + 0.55 * 255));
  return `rgb(${mixed.join(", ")})`;
}

export const MISSING_COLOR = "#8c8c8c";

/**
 * One color for each value of a concept: a scale from dark to bright where the values are numbers
 * or too many to tell apart by hue, categories otherwise.
 */
export function conceptColors(values: readonly string[]): string[] {
  const ordered = values.every((v) => v !== "" && Number.isFinite(Number(v)));
  if (!ordered && values.length <= MORE_CATEGORIES.length) {
    return MORE_CATEGORIES.slice(0, values.length);
  }
  const last = Math.max(1, values.length - 1);
  return values.map((_, i) => interpolateViridis(0.08 + (0.87 * i) / last));
}
