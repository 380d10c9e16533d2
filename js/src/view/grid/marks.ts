/** Drawing of what is marked over cells and points. Sizes are in device pixels. */
import type { Rectangle } from "../../compute/lattice";

const WHITE = "#fff";

/** A frame around a cell, or a ring around a point, with a white one around it: it shows on every color. */
export function outline(
  pen: CanvasRenderingContext2D,
  cell: Rectangle,
  color: string,
  line: number,
  round: boolean,
): void {
  const frames: readonly [string, number][] = [
    [WHITE, 2 * line],
    [color, line],
  ];
  for (const [style, margin] of frames) {
    pen.strokeStyle = style;
    pen.lineWidth = line;
    if (round) {
      pen.beginPath();
      pen.arc(
        cell.x + cell.width / 2,
        cell.y + cell.height / 2,
        cell.width / 2 + margin - line / 2,
        0,
        2 * Math.PI,
      );
      pen.stroke();
    } else {
      pen.strokeRect(
        cell.x - margin + line / 2,
        cell.y - margin + line / 2,
        cell.width + 2 * margin - line,
        cell.height + 2 * margin - line,
      );
    }
  }
}

/** A wider frame of dashes, at its corners and between them, on white. */
export function dashes(
  pen: CanvasRenderingContext2D,
  cell: Rectangle,
  color: string,
  line: number,
): void {
  const [left, top] = [cell.x - 1.5 * line, cell.y - 1.5 * line];
  const [width, height] = [cell.width + 3 * line, cell.height + 3 * line];
  pen.lineWidth = 3 * line;
  pen.strokeStyle = WHITE;
  pen.strokeRect(left, top, width, height);
  pen.lineWidth = line;
  pen.strokeStyle = color;
  for (const [side, x, y, dx, dy] of [
    [width, left, top, 1, 0],
    [width, left, top + height, 1, 0],
    [height, left, top, 0, 1],
    [height, left + width, top, 0, 1],
  ] as const) {
    pen.setLineDash([side / 4, side / 4]);
    pen.lineDashOffset = side / 8;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + dx * side, y + dy * side);
    pen.stroke();
  }
  pen.setLineDash([]);
}

/** Whole cells in a color, on white so that they stand out from every other. */
export function fillCells(
  pen: CanvasRenderingContext2D,
  cells: readonly Rectangle[],
  color: string,
  ratio: number,
): void {
  for (const [style, margin] of [
    [WHITE, ratio],
    [color, 0],
  ] as const) {
    pen.fillStyle = style;
    for (const { x, y, width, height } of cells) {
      pen.fillRect(x - margin, y - margin, width + 2 * margin, height + 2 * margin);
    }
  }
}
