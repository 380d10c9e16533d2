import { effect, untracked } from "@preact/signals";
import type { ScaleName } from "../compute/axis";
import type { Near, Palette } from "../compute/color";
import type { Zoom } from "../compute/zoom";
import type { Arrange } from "../data/layout";
import type { Exploration } from "../state/exploration";

/** Each figure is a module of its own, so linked ones tell each other through the document. */
const EVENT = "clusterwidget:linked";

/** What two linked figures have in common. */
interface Common {
  readonly selected: number;
  readonly arrange: Arrange;
  readonly arrangeBy: readonly string[];
  readonly plain: boolean;
  readonly filter: string;
  readonly chosen: string;
  readonly k: number;
  readonly colorBy: string;
  readonly scale: ScaleName;
  readonly palette: Palette;
  readonly near: Near;
  readonly zoom: Zoom;
}

interface Told {
  readonly group: string;
  readonly from: object;
  readonly common?: Common;
  /** The example under the pointer. */
  readonly pointed?: number | null;
}

/** Keeps this figure and the others of its group the same in what they have in common. */
export function linkFigures(group: string, exploration: Exploration, signal: AbortSignal): void {
  if (group === "") return;
  const from = {};
  let heeding = false;
  const tell = (news: Partial<Told>) => {
    if (heeding) return;
    document.dispatchEvent(new CustomEvent(EVENT, { detail: { group, from, ...news } }));
  };
  const heed = (event: Event) => {
    const { detail } = event as CustomEvent<Told>;
    if (detail.group !== group || detail.from === from) return;
    heeding = true;
    try {
      if (detail.common) take(exploration, detail.common);
      if (detail.pointed !== undefined) point(exploration, detail.pointed);
    } finally {
      heeding = false;
    }
  };
  document.addEventListener(EVENT, heed, { signal });
  const stops = [
    effect(() => {
      const common = commonOf(exploration);
      untracked(() => tell({ common }));
    }),
    effect(() => {
      const pointed = exploration.pointed.value;
      // A picture that is drawn points at nothing: only what is done here is told.
      untracked(() => {
        if (exploration.guide.inUse.value) tell({ pointed });
      });
    }),
  ];
  signal.addEventListener("abort", () => {
    for (const stop of stops) stop();
  });
}

function commonOf(exploration: Exploration): Common {
  const { selected, arrange, arrangeBy, plain, filtering, choice, k, colorBy, display } =
    exploration;
  return {
    selected: selected.value,
    arrange: arrange.value,
    arrangeBy: arrangeBy.value,
    plain: plain.value,
    filter: filtering.text.value,
    chosen: choice.text.value,
    k: k.value,
    colorBy: colorBy.value,
    scale: display.scale.value,
    palette: display.palette.value,
    near: display.near.value,
    zoom: display.zoom.value,
  };
}

function take(exploration: Exploration, common: Common): void {
  const { display, k, colorBy, contents } = exploration;
  const n = contents.value?.n ?? Number.POSITIVE_INFINITY;
  // An example that was typed into one of two models is not among the other's.
  if (common.selected >= n) return;
  const { selected, arrange, arrangeBy, plain, filter, chosen } = common;
  exploration.go({ selected, arrange, arrangeBy, plain, filter, chosen });
  k.value = common.k;
  if (colorBy.value !== common.colorBy) exploration.color(common.colorBy);
  display.scale.value = common.scale;
  display.palette.value = common.palette;
  display.near.value = common.near;
  display.zoom.value = common.zoom;
}

function point(exploration: Exploration, pointed: number | null): void {
  const n = exploration.contents.value?.n ?? 0;
  if (pointed === null || pointed < n) exploration.point(pointed);
}
