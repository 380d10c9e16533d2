import type { Drawing, Item } from "../../compute/drawing";

const FONT = 'system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

/** A drawing on a canvas, so many device pixels for each of its pixels. */
export function painted(
  { width, height, ground, items }: Drawing,
  cells: HTMLCanvasElement,
  ratio: number,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * ratio);
  canvas.height = Math.ceil(height * ratio);
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser gives no canvas to draw on.");
  pen.scale(ratio, ratio);
  pen.fillStyle = ground;
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingEnabled = false;
  for (const item of items) paint(pen, item, cells);
  return canvas;
}

function paint(pen: CanvasRenderingContext2D, item: Item, cells: HTMLCanvasElement): void {
  if (item.kind === "text") {
    pen.save();
    pen.translate(item.x, item.y);
    if (item.turned) pen.rotate(-Math.PI / 2);
    pen.font = `${item.bold ? 600 : 400} ${item.size}px ${FONT}`;
    pen.textAlign = item.anchor === "middle" ? "center" : item.anchor;
    pen.textBaseline = "middle";
    pen.fillStyle = item.color;
    pen.fillText(item.text, 0, 0);
    pen.restore();
    return;
  }
  const { x, y, width, height } = item;
  if (item.kind === "cells") {
    pen.drawImage(cells, x, y, width, height);
    return;
  }
  if (item.kind === "ramp") {
    const gradient = pen.createLinearGradient(x, 0, x + width, 0);
    for (const [share, color] of item.stops) gradient.addColorStop(share, color);
    pen.fillStyle = gradient;
  } else pen.fillStyle = item.color;
  pen.fillRect(x, y, width, height);
}
