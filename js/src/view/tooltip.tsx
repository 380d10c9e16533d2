import type { Signal } from "@preact/signals";

export interface Tip {
  /** Where the pointer is, from the figure's corner. */
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly detail: string;
}

/** A note at the pointer. */
export function Tooltip({ tip }: { tip: Signal<Tip | null> }) {
  const shown = tip.value;
  if (!shown) return null;
  const side =
    shown.x > 420 ? { right: `calc(100% - ${shown.x - 12}px)` } : { left: `${shown.x + 14}px` };
  return (
    <div class="cw-tip" data-role="tooltip" style={{ ...side, top: `${shown.y + 16}px` }}>
      <strong>{shown.title}</strong>
      <span>{shown.detail}</span>
    </div>
  );
}
