import { LINE, type MapLine, NAME, NAME_WIDTH } from "./lines";

/** Where on the map the keyboard is; column `NAME` is the line's name. */
export interface Cursor {
  readonly line: number;
  readonly column: number;
}

/** What a key does: a step to somewhere, or a layer that it folds or unfolds. */
export type Move = { readonly to: Cursor } | { readonly toggle: number };

/**
 * What a key does on the map, as in a tree grid: at a layer's name, right unfolds and left folds;
 * from the name of one of its lines, left leads to the layer. Null where the key means nothing.
 */
export function moveOf(
  key: string,
  { line: at, column }: Cursor,
  lines: readonly MapLine[],
  columns: number,
): Move | null {
  const to = (line: number, next: number): Move => ({
    to: {
      line: Math.min(lines.length - 1, Math.max(0, line)),
      column: Math.min(columns - 1, Math.max(NAME, next)),
    },
  });
  const line = lines[at];
  const layer = line?.type === "layer" ? line : null;
  switch (key) {
    case "ArrowUp":
      return to(at - 1, column);
    case "ArrowDown":
      return to(at + 1, column);
    case "Home":
      return to(at, NAME);
    case "End":
      return to(at, columns - 1);
    case "ArrowRight":
      if (!layer || (column > NAME && !layer.open)) return to(at, column + 1);
      return layer.open ? to(at + 1, NAME) : { toggle: layer.layer };
    case "ArrowLeft":
      if (layer?.open) return { toggle: layer.layer };
      if (column > NAME || layer) return to(at, column - 1);
      return to(headingOf(lines, at), NAME);
    default:
      return null;
  }
}

/** The line of the layer that a line belongs to. */
function headingOf(lines: readonly MapLine[], at: number): number {
  const line = lines[at];
  const layer = line?.type === "stages" ? line.row.layer : null;
  const found = lines.findIndex((other) => other.type === "layer" && other.layer === layer);
  return found < 0 ? at : found;
}

/** Scrolls a line into sight under the headings. */
export function reveal(scroller: HTMLElement, line: number): void {
  const top = line * LINE;
  const heads = (scroller.firstElementChild as HTMLElement | null)?.offsetHeight ?? 0;
  const height = scroller.clientHeight - heads;
  if (top < scroller.scrollTop) scroller.scrollTop = top - LINE;
  else if (top + LINE > scroller.scrollTop + height) scroller.scrollTop = top + 2 * LINE - height;
}

/** Scrolls a column into sight beside the names. */
export function revealColumn(scroller: HTMLElement, at: number, width: number): void {
  const left = at * width;
  const across = scroller.clientWidth - NAME_WIDTH;
  if (left < scroller.scrollLeft) scroller.scrollLeft = left;
  else if (left + width > scroller.scrollLeft + across) scroller.scrollLeft = left + width - across;
}
