/** Rows or columns of blocks along an edge of the grid, in CSS pixels. */
export interface Edge {
  /** From one to the next. */
  readonly pitch: number;
  /** What of the first is before the edge. */
  readonly from: number;
  /** Length of the edge. */
  readonly extent: number;
}

export interface EdgeLabel {
  readonly text: string;
  readonly at: number;
}

/** A row or column of which less is in sight, in pixels, has no label. */
const LEAST_SEEN = 4;

/**
 * Where labels stand along an edge: in the middle of what is in sight of each row or column. Where
 * there is no room for all, every second one, or third.
 * @param room pixels that a label takes
 */
export function labelsAlong(labels: readonly string[], edge: Edge, room: number): EdgeLabel[] {
  const { pitch, from, extent } = edge;
  const every = Math.max(1, Math.ceil(room / Math.max(pitch, 0.01)));
  return labels.flatMap((text, i) => {
    const start = Math.max(0, pitch * i - from);
    const stop = Math.min(extent, pitch * (i + 1) - from);
    return i % every === 0 && stop > start + LEAST_SEEN ? [{ text, at: (start + stop) / 2 }] : [];
  });
}

/** Where the name of an axis stands: over the middle of what is in sight. */
export function nameAlong(labels: readonly string[], { pitch, from, extent }: Edge): number {
  return Math.min(extent, pitch * labels.length - from) / 2;
}
