import { type Edge, labelsAlong, nameAlong } from "./edges";
import { plainText } from "./plaintext";

/** One thing to draw. Lengths are in CSS pixels; the first is drawn first. */
export type Item =
  | {
      readonly kind: "text";
      readonly x: number;
      /** Of the middle of the line. */
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly anchor: "start" | "middle" | "end";
      readonly bold?: boolean;
      /** Read from below. */
      readonly turned?: boolean;
      readonly color: string;
    }
  | (Box & { readonly kind: "box"; readonly color: string })
  /** Colors from left to right, each at a share of the width. */
  | (Box & { readonly kind: "ramp"; readonly stops: readonly Stop[] })
  /** The grid's cells. */
  | (Box & { readonly kind: "cells" });

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Stop = readonly [share: number, color: string];

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly ground: string;
  readonly items: readonly Item[];
}

interface DrawnAxis {
  readonly name: string;
  readonly labels: readonly string[];
  readonly edge: Edge;
}

/** What the colors of the grid mean. */
export type DrawnLegend =
  | {
      readonly kind: "distances";
      readonly counts: Uint32Array;
      readonly stops: readonly Stop[];
      readonly texts: readonly [near: string, what: string, far: string];
    }
  | {
      readonly kind: "values";
      readonly name: string;
      readonly values: readonly (readonly [value: string, color: string])[];
    }
  | {
      readonly kind: "ramp";
      readonly stops: readonly Stop[];
      readonly texts: readonly [first: string, what: string, last: string];
    };

/** All that is drawn of a figure. */
export interface Drawn {
  readonly title: string;
  /** A line under it, e.g. the filter; "" for none. */
  readonly note: string;
  /** Of the cells, without the margin that the outlines of marks need around them. */
  readonly width: number;
  readonly height: number;
  readonly margin: number;
  readonly rows: DrawnAxis | null;
  readonly columns: DrawnAxis | null;
  readonly legend: DrawnLegend;
  readonly ink: string;
  readonly soft: string;
  readonly ground: string;
  readonly bars: string;
}

const PADDING = 14;
const TEXT = 11;
const TITLE = 14;
const LETTER = 6.6;
/** Of a bold letter, on the average, for a size of 1. */
const WIDE = 0.64;
const HISTOGRAM = 32;
const RAMP = 8;
const SWATCH = 10;

/** The grid with its title, axes and legend, as things to draw. */
export function drawingOf(drawn: Drawn): Drawing {
  const { title, note, rows, columns, legend, ink, soft } = drawn;
  const items: Item[] = [];
  const longest = Math.max(0, ...(rows?.labels ?? []).map((label) => label.length));
  const left = PADDING + (rows ? 24 + LETTER * Math.min(12, longest) : 0);
  const text = (
    at: { x: number; y: number },
    written: string,
    more: Partial<Extract<Item, { kind: "text" }>> = {},
  ) =>
    items.push({
      kind: "text",
      ...at,
      text: plainText(written),
      size: TEXT,
      anchor: "middle",
      color: soft,
      ...more,
    });
  let y = PADDING + TITLE / 2;
  const start = { anchor: "start", color: ink } as const;
  const paper = left + drawn.width + PADDING;
  const [size, fitting] = fitted(plainText(title), paper - 2 * PADDING);
  text({ x: PADDING, y }, fitting, { ...start, size, bold: true });
  y += TITLE;
  if (note !== "") {
    y += 4;
    const most = Math.floor((paper - 2 * PADDING) / LETTER);
    const cut = note.length > most ? `${note.slice(0, most - 1)}…` : note;
    text({ x: PADDING, y }, cut, { ...start, color: soft });
    y += TEXT;
  }
  if (columns) {
    y += 8;
    const name = { bold: true, color: ink };
    text({ x: left + nameAlong(columns.labels, columns.edge), y }, columns.name, name);
    y += TEXT + 4;
    const widest = Math.max(...columns.labels.map((label) => label.length));
    for (const label of labelsAlong(columns.labels, columns.edge, LETTER * widest + 4)) {
      text({ x: left + label.at, y }, label.text);
    }
    y += TEXT;
  }
  if (rows) {
    const name = { bold: true, turned: true, color: ink };
    text({ x: PADDING + 4, y: y + nameAlong(rows.labels, rows.edge) }, rows.name, name);
    for (const label of labelsAlong(rows.labels, rows.edge, TEXT + 1)) {
      const cut = label.text.length > 12 ? `${label.text.slice(0, 11)}…` : label.text;
      text({ x: left - 5, y: y + label.at }, cut, { anchor: "end" });
    }
  }
  const { margin, width, height } = drawn;
  items.push({
    kind: "cells",
    x: left - margin,
    y: y - margin,
    width: width + 2 * margin,
    height: height + 2 * margin,
  });
  y += height + 10;
  const place = { x: left, y, width };
  y =
    legend.kind === "values"
      ? swatches(items, legend, place, drawn)
      : ramp(items, legend, place, drawn);
  return {
    width: Math.ceil(paper),
    height: Math.ceil(y + PADDING),
    ground: drawn.ground,
    items,
  };
}

/** A title in smaller letters where it is long, and cut where that is not enough. */
function fitted(title: string, room: number): [size: number, text: string] {
  const letters = Math.floor(room / (WIDE * TEXT));
  const cut = title.length > letters ? `${title.slice(0, letters - 1)}…` : title;
  return [Math.min(TITLE, room / (WIDE * Math.max(1, cut.length))), cut];
}

function ramp(
  items: Item[],
  legend: Exclude<DrawnLegend, { kind: "values" }>,
  { x, y, width }: { x: number; y: number; width: number },
  { soft, bars }: Drawn,
): number {
  let top = y;
  if (legend.kind === "distances") {
    const most = Math.sqrt(Math.max(1, ...legend.counts));
    const step = width / legend.counts.length;
    legend.counts.forEach((count, i) => {
      const height = (HISTOGRAM * Math.sqrt(count)) / most;
      const at = { x: x + i * step, y: top + HISTOGRAM - height, width: 0.86 * step, height };
      if (count > 0) items.push({ kind: "box", ...at, color: bars });
    });
    top += HISTOGRAM;
  }
  items.push({ kind: "ramp", x, y: top, width, height: RAMP, stops: legend.stops });
  top += RAMP + 9;
  const [first, middle, last] = legend.texts.map(plainText);
  const line = { kind: "text", y: top, size: TEXT, color: soft } as const;
  items.push({ ...line, x, text: first ?? "", anchor: "start" });
  items.push({ ...line, x: x + width / 2, text: middle ?? "", anchor: "middle" });
  items.push({ ...line, x: x + width, text: last ?? "", anchor: "end" });
  return top + TEXT / 2;
}

function swatches(
  items: Item[],
  { name, values }: Extract<DrawnLegend, { kind: "values" }>,
  { x, y, width }: { x: number; y: number; width: number },
  { ink, soft }: Drawn,
): number {
  let [left, top] = [x, y + SWATCH / 2];
  const write = (written: string, color: string, swatch: string | null) => {
    const text = plainText(written);
    const needs = LETTER * text.length + 12 + (swatch ? SWATCH + 4 : 0);
    if (left > x && left + needs > x + width) [left, top] = [x, top + SWATCH + 6];
    if (swatch) {
      const box = { x: left, y: top - SWATCH / 2, width: SWATCH, height: SWATCH };
      items.push({ kind: "box", ...box, color: swatch });
    }
    const at = left + (swatch ? SWATCH + 4 : 0);
    items.push({
      kind: "text",
      x: at,
      y: top,
      text,
      size: TEXT,
      anchor: "start",
      color,
      bold: !swatch,
    });
    left += needs;
  };
  write(name, ink, null);
  for (const [value, swatch] of values) write(value, soft, swatch);
  return top + SWATCH / 2;
}
