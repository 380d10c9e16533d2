import type { Signal } from "@preact/signals";

/** Shows the rest of a list, and hides it again; nothing where there is no rest. */
export function More({ all, count }: { all: Signal<boolean>; count: number }) {
  if (count <= 0) return null;
  return (
    <button
      type="button"
      class="cw-more"
      aria-expanded={all.value}
      onClick={() => (all.value = !all.value)}
    >
      {all.value ? "▾ fewer" : `▸ ${count} more`}
    </button>
  );
}
