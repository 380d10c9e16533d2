import type { Coded } from "../data/concepts";
import {
  conceptColors,
  distanceTable,
  fadedTable,
  MISSING_COLOR,
  type Near,
  type Palette,
  packed,
  valueColor,
  valueShares,
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

/** Colors of a concept's values; of more values than the table holds, those that are near share one. */
export function coloringByConcept(concept: Coded, palette: Palette): Coloring {
  const { values, codes, missing } = concept;
  const table = new Uint32Array(256).fill(packed(MISSING_COLOR));
  let places: ArrayLike<number>;
  if (values.length > NONE) {
    places = Uint8Array.from(valueShares(values), (share) => Math.round(share * (NONE - 1)));
    for (let place = 0; place < NONE; place++) {
      table[place] = packed(valueColor(place / (NONE - 1), palette));
    }
  } else {
    places = Uint8Array.from(values, (_, code) => code);
    conceptColors(values, palette).forEach((color, code) => {
      table[code] = packed(color);
    });
  }
  const indexes = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    indexes[i] = code === missing ? NONE : (places[code] as number);
  }
  return { indexes, table, faded: fadedTable(table) };
}
