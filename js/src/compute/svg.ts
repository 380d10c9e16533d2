import type { Drawing, Item } from "./drawing";
import { plainText } from "./plaintext";

const FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as XML can hold it: no markup. */
export function escaped(text: string): string {
  return plainText(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string);
}

/**
 * A drawing as an SVG file.
 * @param cells the picture of the cells, as a data URL
 */
export function svgText({ width, height, ground, items }: Drawing, cells: string): string {
  const defs: string[] = [];
  const body = items.map((item) => written(item, cells, defs));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${number(width)}" height="${number(height)}"`,
    ` viewBox="0 0 ${number(width)} ${number(height)}" font-family="${escaped(FONT)}">`,
    `<defs>${defs.join("")}</defs>`,
    `<rect width="100%" height="100%" fill="${escaped(ground)}"/>`,
    ...body,
    "</svg>\n",
  ].join("");
}

function written(item: Item, cells: string, defs: string[]): string {
  const place = `x="${number(item.x)}" y="${number(item.y)}"`;
  if (item.kind === "text") {
    const { text, size, anchor, bold, turned, color, x, y } = item;
    const turn = turned ? ` transform="rotate(-90 ${number(x)} ${number(y)})"` : "";
    const weight = bold ? ' font-weight="600"' : "";
    return (
      `<text ${place} dy=".35em" font-size="${size}" text-anchor="${anchor}"${weight}${turn}` +
      ` fill="${escaped(color)}" xml:space="preserve">${escaped(text)}</text>`
    );
  }
  const box = `${place} width="${number(item.width)}" height="${number(item.height)}"`;
  if (item.kind === "box") return `<rect ${box} fill="${escaped(item.color)}"/>`;
  if (item.kind === "cells") {
    return `<image ${box} style="image-rendering:pixelated" href="${escaped(cells)}"/>`;
  }
  const id = `ramp${defs.length}`;
  const stops = item.stops.map(
    ([share, color]) => `<stop offset="${number(share)}" stop-color="${escaped(color)}"/>`,
  );
  defs.push(`<linearGradient id="${id}">${stops.join("")}</linearGradient>`);
  return `<rect ${box} fill="url(#${id})"/>`;
}

function number(value: number): string {
  return String(Number(value.toFixed(4)));
}
