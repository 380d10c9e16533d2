/** A hue on the map, and what it stands for. */
export interface Hue {
  readonly name: string;
  readonly color: string;
}

/** The explained share of every concept at stages of the model. */
export interface Atlas {
  /** Place of each stage's address in the lists that follow. */
  readonly stages: ReadonlyMap<string, number>;
  readonly concepts: readonly string[];
  /** The hue of each concept; the same object where concepts share one. */
  readonly hues: readonly Hue[];
  /** The concept that explains each stage, `NOTHING` or `ALL_SAME`, (stages,). */
  readonly best: readonly number[];
  /** (stages × concepts), row-major; NaN where all examples are the same. */
  readonly shares: Float32Array;
  /** Pairs of concepts to arrange the grid by, and which of them suits each stage, or -1. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly axes: readonly number[];
  /** What was done to concepts before, in words: dropped, merged, binned. */
  readonly notes: readonly string[];
}

/** Nothing that was named explains the stage. */
export const NOTHING = -1;
/** All examples are the same at the stage. */
export const ALL_SAME = -2;

/** What an atlas says about one stage. */
export interface StageMeaning {
  /** The concept that explains it, `NOTHING` or `ALL_SAME`. */
  readonly concept: number;
  readonly share: number;
}

/**
 * What explains a stage, or how much of it one concept explains; null if the atlas has it not.
 * @param concept index of the concept to look for, or null for the one that explains it
 */
export function meaningAt(
  atlas: Atlas,
  stage: string,
  concept: number | null,
): StageMeaning | null {
  const at = atlas.stages.get(stage);
  if (at === undefined) return null;
  const best = atlas.best[at] ?? NOTHING;
  const wanted = best === ALL_SAME ? ALL_SAME : (concept ?? best);
  return { concept: wanted, share: wanted < 0 ? 0 : shareOf(atlas, at, wanted) };
}

function shareOf(atlas: Atlas, at: number, concept: number): number {
  const share = atlas.shares[at * atlas.concepts.length + concept] ?? 0;
  return Math.max(0, Math.min(1, share || 0));
}

/** The concepts with the largest shares at a stage, largest first, one left out. */
export function largestShares(
  atlas: Atlas,
  stage: string,
  count: number,
  without: number,
): { concept: string; share: number }[] {
  const at = atlas.stages.get(stage);
  if (at === undefined) return [];
  return atlas.concepts
    .map((concept, i) => ({ concept, share: shareOf(atlas, at, i), i }))
    .filter(({ i }) => i !== without)
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}

/** The pair of concepts that suits a stage best as the grid's axes, or null. */
export function axesAt(atlas: Atlas, stage: string): readonly [string, string] | null {
  const at = atlas.stages.get(stage);
  return at === undefined ? null : (atlas.pairs[atlas.axes[at] ?? -1] ?? null);
}
