import { lineKey, type MapLayout } from "../../compute/arcs";
import type { StageRow } from "../../data/contents";

/** Height of a line, and width of the lines' names before the first column, in pixels. */
export const LINE = 14;
export const NAME_WIDTH = 84;

/** The column of a line's name, for the keyboard. */
export const NAME = -1;

/** A line of the stage map: a layer, with all of its rows where it is folded, or one kind and head. */
export type MapLine =
  | {
      readonly type: "layer";
      readonly layer: number;
      readonly open: boolean;
      readonly rows: readonly StageRow[];
    }
  | { readonly type: "stages"; readonly row: StageRow; readonly firstOfKind: boolean };

/** A layer's rows in the order in which they are shown. */
export type Order = (rows: readonly StageRow[]) => readonly StageRow[];

/**
 * Lines of the stage map, layers in model order.
 * @param kinds kinds to show, or null for all
 */
export function mapLines(
  rows: readonly StageRow[],
  kinds: ReadonlySet<string> | null,
  isOpen: (layer: number) => boolean,
  order: Order = (unordered) => unordered,
): MapLine[] {
  const shown = rows.filter(({ kind }) => kinds?.has(kind) ?? true);
  const lines: MapLine[] = [];
  for (let start = 0, end = 0; start < shown.length; start = end) {
    const layer = shown[start]?.layer ?? null;
    while (end < shown.length && shown[end]?.layer === layer) end++;
    const ofLayer = shown.slice(start, end);
    const open = layer === null || isOpen(layer);
    if (layer !== null) lines.push({ type: "layer", layer, open, rows: open ? [] : ofLayer });
    if (!open) continue;
    let kind = "";
    for (const row of layer === null ? ofLayer : order(ofLayer)) {
      lines.push({ type: "stages", row, firstOfKind: row.kind !== kind });
      kind = row.kind;
    }
  }
  return lines;
}

/** Where stages are on the map, for what is drawn over it. */
export function mapLayout(
  lines: readonly MapLine[],
  positions: readonly string[],
  columnWidth: number,
): MapLayout {
  const rows = new Map<string, number>();
  const headings = new Map<number, number>();
  lines.forEach((line, i) => {
    if (line.type === "layer") headings.set(line.layer, i);
    else rows.set(lineKey(line.row), i);
  });
  return {
    lines: rows,
    headings,
    columns: new Map(positions.map((position, i) => [position, i])),
    lineHeight: LINE,
    columnWidth,
    left: NAME_WIDTH,
  };
}
