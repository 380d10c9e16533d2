import { effect } from "@preact/signals";
import type { ScaleName } from "../compute/axis";
import type { Near, Palette } from "../compute/color";
import { WHOLE, within } from "../compute/zoom";
import type { Arrange } from "../data/layout";
import type { Metric } from "../data/metric";
import type { Listener, MessagePort } from "../source/kernel/channel";
import type { Exploration } from "../state/exploration";
import type { Visit } from "../state/place";
import type { Snapshot } from "./snapshot";

/** The traits of the Python widget. */
export interface Traits {
  selected: number;
  stage: string;
  k: number;
  color_by: string;
  arrange: Arrange;
  arrange_by: string[];
  without: string[];
  metric: Metric;
  plain: boolean;
  filter: string;
  /** The chosen examples: see `compute/chosen.ts`. */
  chosen: string;
  scale: ScaleName;
  palette: Palette;
  near: Near;
  /** Scale, and the corner that is in sight. */
  zoom: number[];
  /** Layers that the stage map shows stage by stage; null for as many as suit the model. */
  unfolded: number[] | null;
  /** Figures of the same group are linked; "" for none. */
  group: string;
  snapshot: Partial<Snapshot>;
  /** In px, or null where it follows the width. */
  height: number | null;
  budget: number;
}

/** Traits that can be read, set and followed. */
export interface TraitModel {
  get<K extends keyof Traits>(name: K): Traits[K];
  set<K extends keyof Traits>(name: K, value: Traits[K]): void;
  save_changes(): void;
  on(event: string, listener: () => void): void;
  off(event: string, listener: () => void): void;
}

/** The part of an anywidget model that is used here. */
export interface WidgetModel extends TraitModel, MessagePort {
  on(event: string, listener: Listener): void;
  off(event: string, listener: Listener): void;
}

/** Calls `listener` whenever a trait changes, until the signal ends it. */
export function onTrait(
  model: TraitModel,
  name: keyof Traits,
  listener: () => void,
  signal: AbortSignal,
): void {
  model.on(`change:${name}`, listener);
  signal.addEventListener("abort", () => model.off(`change:${name}`, listener));
}

/** A drag, a wheel or typing tells Python where it has come to, once it rests so long, in ms. */
const RESTS_MS = 300;

/** The traits that are a place to go to, or the filter there. */
const PLACES = {
  selected: "selected",
  stage: "stage",
  arrange: "arrange",
  arrange_by: "arrangeBy",
  without: "without",
  metric: "metric",
  plain: "plain",
  filter: "filter",
  chosen: "chosen",
} as const;

/** Keeps traits and exploration the same, both ways. */
export function bindTraits(model: TraitModel, exploration: Exploration, signal: AbortSignal): void {
  const { selected, stage, k, colorBy, arrange, choice, arrangeBy, without, metric, plain } =
    exploration;
  const { filtering } = exploration;
  const { scale, palette, near, zoom } = exploration.display;
  const { unfolded } = exploration.folding;
  const placeOf = (name: keyof typeof PLACES): Partial<Visit> => ({
    [PLACES[name]]: model.get(name),
  });
  const readZoom = () => {
    const [times = 1, x = 0, y = 0] = model.get("zoom");
    zoom.value = times > 1 ? within({ scale: times, x, y }) : WHOLE;
  };
  selected.value = model.get("selected");
  stage.value = model.get("stage");
  arrange.value = model.get("arrange");
  choice.text.value = model.get("chosen");
  arrangeBy.value = model.get("arrange_by");
  without.value = model.get("without");
  metric.value = model.get("metric");
  plain.value = model.get("plain");
  filtering.text.value = model.get("filter");
  k.value = model.get("k");
  colorBy.value = model.get("color_by");
  scale.value = model.get("scale");
  palette.value = model.get("palette");
  near.value = model.get("near");
  readZoom();
  unfolded.value = model.get("unfolded");

  const listen = (name: keyof Traits, listener: () => void) =>
    onTrait(model, name, listener, signal);
  // What Python sets together is one step, for undo too.
  let arrived: Partial<Visit> | null = null;
  for (const name of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
    listen(name, () => {
      if (!arrived) {
        queueMicrotask(() => {
          if (arrived && !signal.aborted) exploration.go(arrived);
          arrived = null;
        });
      }
      arrived = { ...arrived, ...placeOf(name) };
    });
  }
  listen("k", () => {
    k.value = model.get("k");
  });
  listen("color_by", () => {
    if (model.get("color_by") !== colorBy.value) exploration.color(model.get("color_by"));
  });
  listen("scale", () => {
    scale.value = model.get("scale");
  });
  listen("palette", () => {
    palette.value = model.get("palette");
  });
  listen("near", () => {
    near.value = model.get("near");
  });
  listen("zoom", readZoom);
  listen("unfolded", () => {
    unfolded.value = model.get("unfolded");
  });

  // Written after the frame: a click is painted first, and told to Python then.
  let timer: ReturnType<typeof setTimeout> | undefined;
  let restTimer: ReturnType<typeof setTimeout> | undefined;
  const put = <K extends keyof Traits>(name: K, value: Traits[K]): boolean => {
    // No layers and "as it suits" are not the same.
    if (JSON.stringify(model.get(name)) === JSON.stringify(value)) return false;
    model.set(name, value);
    return true;
  };
  const save = () => {
    timer = undefined;
    const changed = [
      put("selected", selected.value),
      put("stage", stage.value),
      put("k", k.value),
      put("color_by", colorBy.value),
      put("arrange", arrange.value),
      put("chosen", choice.text.value),
      put("arrange_by", [...arrangeBy.value]),
      put("without", [...without.value]),
      put("metric", metric.value),
      put("plain", plain.value),
      put("scale", scale.value),
      put("palette", palette.value),
      put("near", near.value),
      put("unfolded", unfolded.value && [...unfolded.value]),
    ];
    if (changed.includes(true)) model.save_changes();
  };
  const saveRested = () => {
    const { scale: times, x, y } = zoom.value;
    const changed = [put("zoom", [times, x, y]), put("filter", filtering.text.value)];
    if (changed.includes(true)) model.save_changes();
  };
  const followed = [
    ...[selected, stage, k, colorBy, arrange, choice.text, arrangeBy],
    ...[without, metric, plain],
  ];
  const drawn = [scale, palette, near, unfolded];
  const stops = [
    effect(() => {
      for (const { value } of [...followed, ...drawn]) void value;
      if (timer === undefined) timer = setTimeout(save, 0);
    }),
    effect(() => {
      for (const { value } of [zoom, filtering.text]) void value;
      clearTimeout(restTimer);
      restTimer = setTimeout(saveRested, RESTS_MS);
    }),
  ];
  signal.addEventListener("abort", () => {
    for (const stop of stops) stop();
    clearTimeout(timer);
    clearTimeout(restTimer);
  });
}
