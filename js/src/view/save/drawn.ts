import { countShown, distanceAxis, histogram } from "../../compute/axis";
import type { Axis } from "../../compute/blocks";
import { conceptColors } from "../../compute/color";
import { type Drawing, type DrawnLegend, drawingOf } from "../../compute/drawing";
import type { Edge } from "../../compute/edges";
import type { Exploration } from "../../state/exploration";
import type { Picture } from "../../state/picture";
import { leftName } from "../../words/stage";
import { countText, distanceText, valueText } from "../../words/text";
import { type GridCanvas, MARGIN } from "../grid/canvas";
import { colorsOf, marksOf } from "../grid/colors";
import { BINS, brushedText, MOST_SWATCHES, rampStops, stopsOf } from "../grid/legend";

/** Device pixels for a CSS pixel in what is saved. */
export const RATIO = 2;

/** The grid as it is on screen, with title, axes and legend; and the picture of its cells. */
export function drawn(
  exploration: Exploration,
  grid: GridCanvas,
  root: HTMLElement,
): { drawing: Drawing; cells: HTMLCanvasElement } | null {
  const picture = exploration.picture.value;
  const { edges } = grid;
  if (!picture || !edges) return null;
  const style = getComputedStyle(root);
  const color = (name: string) => style.getPropertyValue(`--cw-${name}`).trim();
  const { rows, columns } = picture.arrangement.blocks;
  const axis = (of: Axis | null, edge: Edge) => of && { name: of.name, labels: of.labels, edge };
  const drawing = drawingOf({
    title: titleOf(exploration, picture),
    note: noteOf(exploration),
    width: edges.across.extent,
    height: edges.down.extent,
    margin: MARGIN,
    rows: axis(rows, edges.down),
    columns: axis(columns, edges.across),
    legend: legendOf(exploration, picture),
    ink: style.color,
    soft: color("soft"),
    bars: color("bars"),
    ground: style.backgroundColor,
  });
  return { drawing, cells: cellsOf(exploration, picture, grid, color("accent")) };
}

function cellsOf(
  exploration: Exploration,
  picture: Picture,
  grid: GridCanvas,
  accent: string,
): HTMLCanvasElement {
  const copy = grid.copy(RATIO / grid.ratio);
  const labelOf = (example: number) => exploration.labels.value?.at(example) ?? "";
  const { zoom } = exploration.display;
  copy.paint(picture, colorsOf(exploration)(picture), zoom.value, labelOf);
  copy.mark(picture, marksOf(exploration, picture), accent);
  const together = copy.together();
  copy.clear();
  return together;
}

function titleOf(exploration: Exploration, picture: Picture): string {
  const { labels, colored } = exploration;
  const label = labels.value?.at(picture.selected) ?? `example ${picture.selected}`;
  const what = colored.value ? `${colored.value.name}, around ${label}` : `distance from ${label}`;
  return `${what} at ${leftName(picture)}`;
}

function noteOf(exploration: Exploration): string {
  const { filtering, contents, display, picture } = exploration;
  const mask = filtering.mask.value;
  const filter = mask
    ? `${filtering.text.value}: ${countText(countShown(mask))} of ${countText(contents.value?.n ?? 0)} examples`
    : "";
  const ranked = picture.value?.ranked;
  const band = display.band.value && ranked ? (brushedText(exploration, ranked) ?? "") : "";
  return [filter, band].filter((text) => text !== "").join("; ");
}

function legendOf(exploration: Exploration, { ranked }: Picture): DrawnLegend {
  const { display, labels } = exploration;
  const concept = exploration.colored.value;
  if (!concept) {
    const axis = distanceAxis(ranked, display.scale.value);
    const { min, max } = ranked.scale;
    const from = labels.value?.at(ranked.from) ?? `example ${ranked.from}`;
    return {
      kind: "distances",
      counts: histogram(ranked, axis, ranked.from, BINS),
      stops: stopsOf(ranked, axis, display),
      texts: [distanceText(min), `distance from ${from}`, distanceText(max)],
    };
  }
  const { name, values } = concept;
  if (values.length <= MOST_SWATCHES) {
    const colors = conceptColors(values, display.palette.value);
    return { kind: "values", name, values: values.map((value, i) => [value, colors[i] ?? ""]) };
  }
  const texts = [valueText(values[0]), name, valueText(values.at(-1))] as const;
  return { kind: "ramp", stops: rampStops(display.palette.value), texts };
}
