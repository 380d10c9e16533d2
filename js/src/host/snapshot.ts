import { effect } from "@preact/signals";
import { nearest } from "../compute/distances";
import { fedParts, type Part } from "../data/example";
import type { Exploration } from "../state/exploration";
import type { Picture } from "../state/picture";
import { leftName } from "../words/stage";

interface StillAxis {
  readonly name: string;
  readonly labels: readonly string[];
}

/** A picture to look at where no kernel answers. It is saved with the notebook. */
export interface Snapshot {
  /** The grid's cells as a data URL. */
  readonly image: string;
  readonly selected: number;
  readonly label: string;
  /** With what is set aside there. */
  readonly stage: string;
  readonly parts: readonly Pick<Part, "name" | "text" | "answer">[];
  readonly rows: StillAxis | null;
  readonly columns: StillAxis | null;
  readonly colorBy: string;
  readonly near: number;
  readonly far: number;
  /** Of the colors; a snapshot of an earlier version has none. */
  readonly palette?: string;
  readonly bright?: boolean;
  readonly neighbors: readonly (readonly [label: string, distance: number])[];
}

const SETTLED_MS = 1500;
const MOST_IMAGE_CHARACTERS = 180_000;
const MOST_NEIGHBORS = 30;
const MOST_TEXT = 200;

/** Saves a snapshot when nothing has changed for a while; never one of a preview. */
export function keepSnapshot(
  exploration: Exploration,
  canvas: () => HTMLCanvasElement | null,
  save: (snapshot: Snapshot) => void,
  signal: AbortSignal,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    const picture = exploration.settled.value;
    const ready = exploration.labels.value && exploration.tokens.value;
    const previewing = exploration.preview.value !== null;
    const { scale, palette, near, zoom } = exploration.display;
    const { colorBy, k, filtering } = exploration;
    for (const { value } of [colorBy, k, filtering.mask, scale, palette, near]) void value;
    clearTimeout(timer);
    // The names along its edges are those of the whole grid.
    if (!picture || !ready || previewing || zoom.value.scale > 1) return;
    timer = setTimeout(() => {
      const source = canvas();
      if (source && source.width > 0) save(snapshotOf(exploration, picture, imageOf(source)));
    }, SETTLED_MS);
  });
  signal.addEventListener("abort", () => {
    stop();
    clearTimeout(timer);
  });
}

function snapshotOf(exploration: Exploration, picture: Picture, image: string): Snapshot {
  const { ranked, arrangement, selected } = picture;
  const label = (example: number) =>
    (exploration.labels.value?.at(example) ?? "").slice(0, MOST_TEXT);
  const contents = exploration.contents.value;
  const tokens = exploration.tokens.value;
  const still = (axis: StillAxis | null) => axis && { name: axis.name, labels: axis.labels };
  const k = Math.min(MOST_NEIGHBORS, exploration.k.value);
  return {
    image,
    selected,
    label: label(selected),
    stage: leftName(picture),
    parts:
      contents && tokens
        ? fedParts(contents, tokens, selected).map(({ name, text, answer }) => ({
            name,
            text,
            answer,
          }))
        : [],
    rows: still(arrangement.blocks.rows),
    columns: still(arrangement.blocks.columns),
    colorBy: exploration.colorBy.value,
    near: ranked.scale.min,
    far: ranked.scale.max,
    palette: exploration.display.palette.value,
    bright: exploration.display.near.value === "bright",
    neighbors: Array.from(nearest(ranked.order, selected, k), (example) => [
      label(example),
      ranked.distances[example] as number,
    ]),
  };
}

/** The cells as a data URL, as sharp as fits; the canvas may be larger than they are. */
function imageOf(canvas: HTMLCanvasElement): string {
  const { width, height } = JSON.parse(canvas.dataset.layout ?? "null") ?? canvas;
  const copy = document.createElement("canvas");
  for (let shrink = 1; ; shrink *= 2) {
    copy.width = Math.ceil(width / shrink);
    copy.height = Math.ceil(height / shrink);
    const pen = copy.getContext("2d");
    pen?.drawImage(canvas, 0, 0, width, height, 0, 0, copy.width, copy.height);
    const sharp = shrink === 1 ? copy.toDataURL("image/png") : "";
    if (sharp !== "" && sharp.length <= MOST_IMAGE_CHARACTERS) return sharp;
    const image = copy.toDataURL("image/webp", 0.8);
    if (image.length <= MOST_IMAGE_CHARACTERS || copy.width <= 64) return image;
  }
}
