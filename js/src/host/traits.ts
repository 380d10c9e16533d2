import { effect } from "@preact/signals";
import type { Listener, MessagePort } from "../source/kernel/channel";
import type { Exploration } from "../state/exploration";
import type { Snapshot } from "./snapshot";

/** The traits of the Python widget. */
export interface Traits {
  selected: number;
  stage: string;
  k: number;
  color_by: string;
  arrange_by: string[];
  without: string[];
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

/** Keeps traits and exploration the same, both ways. */
export function bindTraits(model: TraitModel, exploration: Exploration, signal: AbortSignal): void {
  const { selected, stage, k, colorBy, arrangeBy, without } = exploration;
  selected.value = model.get("selected");
  stage.value = model.get("stage");
  k.value = model.get("k");
  colorBy.value = model.get("color_by");
  arrangeBy.value = model.get("arrange_by");
  without.value = model.get("without");

  const listen = (name: keyof Traits, listener: () => void) =>
    onTrait(model, name, listener, signal);
  listen("selected", () => exploration.go({ selected: model.get("selected") }));
  listen("stage", () => exploration.go({ stage: model.get("stage") }));
  listen("arrange_by", () => exploration.go({ arrangeBy: model.get("arrange_by") }));
  listen("without", () => exploration.go({ without: model.get("without") }));
  listen("k", () => {
    k.value = model.get("k");
  });
  listen("color_by", () => {
    if (model.get("color_by") !== colorBy.value) exploration.color(model.get("color_by"));
  });

  // Written after the frame: a click is painted first, and told to Python then.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const save = () => {
    timer = undefined;
    let changed = false;
    const put = <K extends keyof Traits>(name: K, value: Traits[K]) => {
      if (String(model.get(name)) === String(value)) return;
      model.set(name, value);
      changed = true;
    };
    put("selected", selected.value);
    put("stage", stage.value);
    put("k", k.value);
    put("color_by", colorBy.value);
    put("arrange_by", [...arrangeBy.value]);
    put("without", [...without.value]);
    if (changed) model.save_changes();
  };
  const stop = effect(() => {
    for (const followed of [selected, stage, k, colorBy, arrangeBy, without]) void followed.value;
    if (timer === undefined) timer = setTimeout(save, 0);
  });
  signal.addEventListener("abort", () => {
    stop();
    clearTimeout(timer);
  });
}
