import type { Signal } from "@preact/signals";

export interface Tip {
  /** Where the pointer is, from the figure's corner. */
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly detail: string;
  /** What matters most, and names with their numbers under it. */
  readonly note?: string;
  readonly rows?: readonly (readonly [name: string, number: string])[];
  /** Whether it stands to the right of the stage map, where it hides none of a trace. */
  readonly beside?: boolean;
}

/** Beyond these, in pixels, a note stands to the left of the pointer, or above it. */
const MIDDLE_X = 420;
const MIDDLE_Y = 320;

/** A note at the pointer. */
export function Tooltip({ tip }: { tip: Signal<Tip | null> }) {
  const shown = tip.value;
  if (!shown) return null;
  const side =
    shown.x > MIDDLE_X && !shown.beside
      ? { right: `calc(100% - ${shown.x - 12}px)` }
      : { left: `${shown.x + 14}px` };
  const above = shown.y > MIDDLE_Y;
  const end = above ? { bottom: `calc(100% - ${shown.y - 10}px)` } : { top: `${shown.y + 16}px` };
  return (
    <div class="cw-tip" data-role="tooltip" style={{ ...side, ...end }}>
      <strong>{shown.title}</strong>
      <span>{shown.detail}</span>
      {shown.note === undefined ? null : <em>{shown.note}</em>}
      {shown.rows?.map(([name, number]) => (
        <span key={name} class="cw-tip-row">
          <span>{name}</span>
          <span>{number}</span>
        </span>
      ))}
    </div>
  );
}
