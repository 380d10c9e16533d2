import { signal as stateOf } from "@preact/signals";
import { h, render as mount } from "preact";
import { linkFigures } from "./host/linking";
import { followShortcuts } from "./host/shortcuts";
import { keepSnapshot, type Snapshot } from "./host/snapshot";
import { followTheme } from "./host/theme";
import { bindTraits, onTrait, type TraitModel } from "./host/traits";
import type { Heard, Transport } from "./source/wire/transport";
import { Gone, Unreachable } from "./source/wire/transport";
import { WireSource } from "./source/wire/wire";
import { Exploration } from "./state/exploration";
import { followPicture } from "./state/following";
import { messageOf } from "./state/task";
import { Figure } from "./view/figure";

const ANSWER_WITHIN_MS = 5000;
const BUDGETS_KEPT = 4;
const KERNEL_SILENT = "Waiting for the kernel. If none runs, run the cell.";

let figures = 0;

/** What carries the figure's requests; it ends with the signal. */
export type Connect = (heard: Heard, signal: AbortSignal) => Transport;

/**
 * Shows a figure in `el`; the returned function takes away all that came with it.
 *
 * Every host does so: the widget, the page without a kernel, and whoever else brings a transport.
 * @param silence what is said where nobody has answered in good time
 */
export function stand(
  el: HTMLElement,
  model: TraitModel,
  connect: Connect,
  silence = KERNEL_SILENT,
): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const root = document.createElement("div");
  root.className = "clusterwidget";
  figures += 1;
  root.id = `clusterwidget-${figures}`;
  // JupyterLab's own shortcuts must not take the keys that walk the grid.
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  followTheme(root, signal);

  const budget = model.get("budget");
  const heard = {
    changed: () => load(),
    gone: (words: string) => {
      exploration.gone.value = words;
      silent.value = true;
    },
    back: () => {
      exploration.gone.value = "";
      load();
    },
  };
  const source = new WireSource(connect(heard, signal), BUDGETS_KEPT * budget);
  const exploration = new Exploration(source, budget);
  const silent = stateOf(false);
  const resize = () => {
    const height = model.get("height");
    if (height === null) root.style.removeProperty("--cw-height");
    else root.style.setProperty("--cw-height", `${height}px`);
  };
  resize();
  onTrait(model, "height", resize, signal);
  bindTraits(model, exploration, signal);
  linkFigures(model.get("group"), exploration, signal);
  followPicture(exploration, signal);
  followShortcuts(root, exploration, signal);

  const stored = model.get("snapshot");
  const snapshot = stored?.image ? (stored as Snapshot) : null;
  mount(h(Figure, { exploration, root, silent, silence, snapshot }), root);

  const timer = setTimeout(
    () => (silent.value = exploration.contents.value === null),
    ANSWER_WITHIN_MS,
  );
  const load = () =>
    void exploration.load().catch((error: unknown) => {
      // The figure says so itself.
      if (signal.aborted || error instanceof Gone) return;
      if (error instanceof Unreachable) silent.value = true;
      else exploration.problem.value = messageOf(error);
    });
  load();
  keepSnapshot(
    exploration,
    () => root.querySelector("canvas[data-role=grid]"),
    (taken) => {
      model.set("snapshot", taken);
      model.save_changes();
    },
    signal,
  );

  return () => {
    ending.abort();
    clearTimeout(timer);
    mount(null, root);
    root.remove();
  };
}
