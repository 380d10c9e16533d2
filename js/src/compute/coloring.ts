import type { Coded } from "../data/concepts";
import { conceptColors, distanceTable, MISSING_COLOR, packed } from "./color";

/** Color of each example, as a place in a table. */
export interface Coloring {
  readonly indexes: Uint8Array;
  readonly table: Uint32Array;
}

const DISTANCES = distanceTable();
const NONE = 255;

export function coloringByDistance(indexes: Uint8Array): Coloring {
  return { indexes, table: DISTANCES };
}

/** Colors of a concept's values; more values than the table holds share colors with their neighbors. */
export function coloringByConcept(concept: Coded): Coloring {
  const { values, codes, missing } = concept;
  const places = Math.min(values.length, NONE);
  const table = new Uint32Array(256).fill(packed(MISSING_COLOR));
  const colors = conceptColors(values);
  for (let place = 0; place < places; place++) {
    const code = Math.floor((place * values.length) / places);
    table[place] = packed(colors[code] as string);
  }
  const indexes = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    indexes[i] = code === missing ? NONE : Math.floor((code * places) / values.length);
  }
  return { indexes, table };
}
