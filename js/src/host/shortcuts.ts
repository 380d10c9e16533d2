import type { Exploration } from "../state/exploration";

/** Escape and Ctrl/Cmd+Z go back, with Shift forward, wherever in the figure the keyboard is. */
export function followShortcuts(
  root: HTMLElement,
  exploration: Exploration,
  signal: AbortSignal,
): void {
  const press = (event: KeyboardEvent) => {
    const typing = event.target instanceof HTMLInputElement && event.target.type === "text";
    const undoing = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (typing) {
      event.stopPropagation();
      if (event.key === "Escape") (event.target as HTMLElement).blur();
      return;
    }
    if (event.key === "Escape") {
      const { band } = exploration.display;
      if (band.value) band.value = null;
      else if (!exploration.swaps.dismiss()) exploration.undo();
    } else if (undoing && event.shiftKey) exploration.redo();
    else if (undoing) exploration.undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  root.addEventListener("keydown", press, { signal });
}
