import type { Coded } from "../data/concepts";
import {
  conceptColors,
  distanceTable,
  fadedTable,
  MISSING_COLOR,
  type Near,
  type Palette,
  packed,
} from "./color";

/** Color of each example, as a place in a table; the same colors for what is faded. */
export interface Coloring {
  readonly indexes: Uint8Array;
  readonly table: Uint32Array;
  readonly faded: Uint32Array;
}

const NONE = 255;

/** Colors of distances, nearest first. */
export function distanceColors(palette: Palette, near: Near): Omit<Coloring, "indexes"> {
  const table = distanceTable(palette, near);
  return { table, faded: fadedTable(table) };
}

/** Colors of a concept's values; more values than the table holds share colors with their neighbors. */
export function coloringByConcept(concept: Coded, palette: Palette): Coloring {
  const { values, codes, missing } = concept;
  const places = Math.min(values.length, NONE);
  const table = new Uint32Array(256).fill(packed(MISSING_COLOR));
  const colors = conceptColors(values, palette);
  for (let place = 0; place < places; place++) {
    const code = Math.floor((place * values.length) / places);
    table[place] = packed(colors[code] as string);
  }
  const indexes = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    indexes[i] = code === missing ? NONE : Math.floor((code * places) / values.length);
  }
  return { indexes, table, faded: fadedTable(table) };
}
