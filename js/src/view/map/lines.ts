import { lineKey, type MapLayout } from "../../compute/arcs";
import type { StageRow } from "../../data/contents";

/** Height of a line, and width of the lines' names before the first column, in pixels. */
export const LINE = 14;
export const NAME_WIDTH = 84;

/** A line of the stage map: a layer's heading, or one kind and head. */
export type MapLine =
  | { readonly type: "layer"; readonly layer: number; readonly open: boolean }
  | { readonly type: "stages"; readonly row: StageRow; readonly firstOfKind: boolean };

/** More layers than this are folded until they are opened. */
const MOST_OPEN_LAYERS = 4;

/** Whether a layer's lines are shown: as the user left it, else open in a small model or where the stage is. */
export function layerIsOpen(
  layer: number,
  layers: number,
  toggled: ReadonlyMap<number, boolean>,
  current: number | null,
): boolean {
  return toggled.get(layer) ?? (layers <= MOST_OPEN_LAYERS || layer === current);
}

/**
 * Lines of the stage map in model order.
 * @param kinds kinds to show, or null for all
 */
export function mapLines(
  rows: readonly StageRow[],
  kinds: ReadonlySet<string> | null,
  isOpen: (layer: number) => boolean,
): MapLine[] {
  const lines: MapLine[] = [];
  let layer: number | null = null;
  let kind = "";
  for (const row of rows) {
    if (kinds && !kinds.has(row.kind)) continue;
    if (row.layer !== null && row.layer !== layer) {
      lines.push({ type: "layer", layer: row.layer, open: isOpen(row.layer) });
      kind = "";
    }
    layer = row.layer;
    if (row.layer !== null && !isOpen(row.layer)) continue;
    lines.push({ type: "stages", row, firstOfKind: row.kind !== kind });
    kind = row.kind;
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
