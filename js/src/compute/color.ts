import { DARKEST, STEPS } from "../data/viridis";

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

export const PALETTES = ["viridis", "cividis", "gray"] as const;
export type Palette = (typeof PALETTES)[number];
export const NEARS = ["bright", "dark"] as const;
export type Near = (typeof NEARS)[number];

/** Ends of the grays: neither end is a page's own black or white. */
const GRAYS = [0.06, 0.94] as const;

/** From dark at 0 to bright at 1, as d3-scale-chromatic has them, which alone is half a bundle. */
const SHADES: Readonly<Record<Palette, (share: number) => string>> = {
  viridis: (share) => VIRIDIS[Math.max(0, Math.min(255, Math.floor(share * 256)))] as string,
  cividis: (share) =>
    rgb(
      polynomial(share, [-4.54, -35.34, 2381.73, -6402.7, 7024.72, -2710.57]),
      polynomial(share, [32.49, 170.73, 52.82, -131.46, 176.58, -67.37]),
      polynomial(share, [81.24, 442.36, -2482.43, 6167.24, -6614.94, 2475.67]),
    ),
  gray: (share) => {
    const v = 255 * (GRAYS[0] + share * (GRAYS[1] - GRAYS[0]));
    return rgb(v, v, v);
  },
};

const VIRIDIS = viridis();

function viridis(): string[] {
  let parts: readonly number[] = DARKEST;
  return Array.from({ length: 256 }, (_, i) => {
    if (i > 0) parts = parts.map((v, part) => v + Number(STEPS[part]?.[i - 1]) - 2);
    return rgb(...parts);
  });
}

function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}

function rgb(...parts: readonly number[]): string {
  return `rgb(${parts.map((v) => Math.max(0, Math.min(255, Math.round(v)))).join(", ")})`;
}

/** Color for a share of the scale, 0 near and 1 far. */
export function distanceColor(
  share: number,
  palette: Palette = "viridis",
  near: Near = "bright",
): string {
  return SHADES[palette](near === "bright" ? 1 - share : share);
}

/** The 256 colors of distances. */
export function distanceTable(palette?: Palette, near?: Near): ColorTable {
  return Uint32Array.from({ length: 256 }, (_, i) => packed(distanceColor(i / 255, palette, near)));
}

/** How opaque what is faded is, of 255. */
const FADED = 36;

/** The same colors, almost transparent. */
export function fadedTable(table: ColorTable): ColorTable {
  return table.map((color) => ((color & 0xffffff) | (FADED << 24)) >>> 0);
}

/** A color over an opaque ground, by its own opacity and so much of that. */
export function blended(color: number, ground: number, strength = 1): number {
  const share = ((color >>> 24) / 255) * strength;
  const part = (shift: number) => {
    const [over, under] = [(color >>> shift) & 255, (ground >>> shift) & 255];
    return Math.round(under + share * (over - under)) << shift;
  };
  return (OPAQUE | part(16) | part(8) | part(0)) >>> 0;
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
  return rgb(...channels(color).map((v) => 0.45 * v + 0.55 * 255));
}

export const MISSING_COLOR = "#8c8c8c";

/**
 * One color for each value of a concept: a scale from dark to bright where the values are numbers
 * or too many to tell apart by hue, categories otherwise.
 */
export function conceptColors(values: readonly string[], palette: Palette = "viridis"): string[] {
  if (!areNumbers(values) && values.length <= MORE_CATEGORIES.length) {
    return MORE_CATEGORIES.slice(0, values.length);
  }
  return valueShares(values).map((share) => valueColor(share, palette));
}

/** Color for a share of the scale of a concept's values, 0 the least. */
export function valueColor(share: number, palette: Palette): string {
  return SHADES[palette](0.08 + 0.87 * share);
}

export function areNumbers(values: readonly string[]): boolean {
  return values.every((v) => v !== "" && Number.isFinite(Number(v)));
}

/** Where a concept's values lie on its scale, 0 to 1: numbers by their size, others by their order. */
export function valueShares(values: readonly string[]): number[] {
  const places = areNumbers(values) ? values.map(Number) : values.map((_, i) => i);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const place of places) {
    least = Math.min(least, place);
    most = Math.max(most, place);
  }
  return places.map((place) => (most > least ? (place - least) / (most - least) : 0));
}
