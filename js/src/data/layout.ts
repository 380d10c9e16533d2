/** How the grid may be arranged: in blocks by concepts, or as points of a plane. */
export type Arrange = "lattice" | "map" | "umap";

/** How the points of a plane were found. */
export type LayoutMethod = "pca" | "umap";

/** The examples of a stage as points of a plane. */
export interface Layout {
  readonly method: LayoutMethod;
  /** (n, 2), row-major: across, and up. */
  readonly points: Float32Array;
  /** Share of the variance along each axis; null where the axes measure nothing. */
  readonly shares: readonly [number, number] | null;
}

export function methodOf(arrange: Arrange): LayoutMethod | null {
  if (arrange === "lattice") return null;
  return arrange === "map" ? "pca" : "umap";
}
