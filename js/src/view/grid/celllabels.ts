import type { Arrangement } from "../../compute/blocks";
import type { CellColors } from "../../compute/lattice";
import { cellInSight, examplesInSight, type Sight } from "../../compute/zoom";

/** Size of the letters and of a line, in CSS pixels. */
const LETTER = 10;
const LINE = 12;
const PADDING = 3;
/** A cell with less room than this for characters has none. */
const LEAST = 6;

/** Writes labels into cells that have the room, in lines; what is longer is cut. */
export function writeLabels(
  pen: CanvasRenderingContext2D,
  sight: Sight,
  arrangement: Arrangement,
  { indexes, table, mask }: CellColors,
  labelOf: (example: number) => string,
  ratio: number,
): void {
  const { lattice, scale } = sight;
  if (lattice.perCell > 1) return;
  pen.font = `${LETTER * ratio}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace`;
  const letter = pen.measureText("0").width;
  const room = (size: number) => size * scale - 2 * PADDING * ratio;
  const characters = Math.floor(room(lattice.cellWidth) / letter);
  const lines = Math.floor(room(lattice.cellHeight) / (LINE * ratio));
  if (lines < 1 || characters * lines < LEAST || characters < 3) return;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  const { width, height } = pen.canvas;
  for (const example of examplesInSight(sight, arrangement, width, height)) {
    if (mask?.[example] === 0) continue;
    const cell = cellInSight(sight, arrangement, example);
    const color = table[indexes[example] as number] as number;
    pen.fillStyle = isBright(color) ? "#000" : "#fff";
    const wrapped = wrap(labelOf(example), characters, lines);
    const middle = cell.y + cell.height / 2;
    wrapped.forEach((line, i) => {
      const y = middle + (i - (wrapped.length - 1) / 2) * LINE * ratio;
      pen.fillText(line, cell.x + cell.width / 2, y);
    });
  }
}

/** A text in lines of so many characters. */
export function wrap(text: string, characters: number, lines: number): string[] {
  const letters = Array.from(text);
  const cut = letters.length > characters * lines;
  const kept = cut ? [...letters.slice(0, characters * lines - 1), "…"] : letters;
  return Array.from({ length: Math.ceil(kept.length / characters) }, (_, i) =>
    kept.slice(i * characters, (i + 1) * characters).join(""),
  );
}

/** Whether black letters are better to read on a color, as ImageData packs it, than white ones. */
function isBright(color: number): boolean {
  const [r, g, b] = [color & 255, (color >> 8) & 255, (color >> 16) & 255];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 115;
}
