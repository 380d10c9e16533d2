import { useRef } from "preact/hooks";
import type { Band, DistanceAxis } from "../../compute/axis";
import type { Exploration } from "../../state/exploration";
import { distanceText } from "../../words/text";

/** What an arrow key moves a handle by, in shares of the axis; with Shift so many times as far. */
const STEP = 0.01;
const FAST = 5;
/** A shorter drag, in shares of the axis, is a click. */
const LEAST = 0.005;

/** Marks a range of distances on the histogram; the grid fades the rest. */
export function Brush({ exploration, axis }: { exploration: Exploration; axis: DistanceAxis }) {
  const { band } = exploration.display;
  const from = useRef<number | null>(null);
  const [low, high] = endsOf(band.value, axis);
  const mark = (a: number, b: number) => {
    band.value = bandOf(Math.min(a, b), Math.max(a, b), axis);
  };
  const at = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const handle = (name: string, position: number, other: number, least: number, most: number) => {
    const press = (event: KeyboardEvent) => {
      const step = STEP * (event.shiftKey ? FAST : 1);
      const moves: Readonly<Record<string, number>> = {
        ArrowLeft: position - step,
        ArrowDown: position - step,
        ArrowRight: position + step,
        ArrowUp: position + step,
        Home: 0,
        End: 1,
      };
      const to = moves[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      mark(Math.min(most, Math.max(least, to)), other);
    };
    const value = distanceText(axis.at(position));
    return (
      <span
        class="cw-handle"
        role="slider"
        tabIndex={0}
        data-role={name}
        aria-label={name === "brush-from" ? "nearest distance shown" : "farthest distance shown"}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * position)}
        aria-valuetext={`distance ${value}`}
        style={{ left: `${100 * position}%` }}
        onKeyDown={press}
      />
    );
  };
  return (
    <div
      class="cw-brush"
      data-role="brush"
      role="group"
      aria-label="range of distances"
      data-set={band.value !== null || undefined}
      data-tip="Drag to look at a range of distances; the rest fades. Double click or Esc shows all."
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        const target = event.target as HTMLElement;
        event.currentTarget.setPointerCapture(event.pointerId);
        // Here the keys go on, Esc among them.
        const handle = target.closest(".cw-handle") ?? event.currentTarget.lastElementChild;
        (handle as HTMLElement).focus({ preventScroll: true });
        event.preventDefault();
        // A handle moves its own end, and anywhere else a new range begins.
        if (target.dataset.role === "brush-from") from.current = high;
        else if (target.dataset.role === "brush-to") from.current = low;
        else from.current = at(event);
      }}
      onPointerMove={(event) => {
        if (from.current === null) return;
        const to = at(event);
        if (Math.abs(to - from.current) > LEAST) mark(from.current, to);
      }}
      onLostPointerCapture={() => (from.current = null)}
      onDblClick={() => (band.value = null)}
    >
      <span class="cw-outside" style={{ left: 0, width: `${100 * low}%` }} />
      <span class="cw-outside" style={{ right: 0, width: `${100 * (1 - high)}%` }} />
      {handle("brush-from", low, high, 0, high)}
      {handle("brush-to", high, low, low, 1)}
    </div>
  );
}

function endsOf(band: Band | null, axis: DistanceAxis): [number, number] {
  return band ? [axis.position(band.low), axis.position(band.high)] : [0, 1];
}

/** At its ends the axis stands for all that is beyond; null where all is in the band. */
function bandOf(low: number, high: number, axis: DistanceAxis): Band | null {
  if (low <= 0 && high >= 1) return null;
  return {
    low: low <= 0 ? 0 : axis.at(low),
    high: high >= 1 ? Number.POSITIVE_INFINITY : axis.at(high),
  };
}
