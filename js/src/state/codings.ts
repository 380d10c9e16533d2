import { type Signal, signal } from "@preact/signals";
import { CLUSTER, type Clusters, type Coded } from "../data/concepts";
import type { Contents } from "../data/contents";
import { type Left, leftKey } from "../data/left";
import type { Call, Source } from "../source/source";

/** The concepts that a picture is colored and arranged by, and the clusters at its stage. */
export class Codings {
  readonly concepts: Signal<ReadonlyMap<string, Coded>> = signal(new Map());
  readonly #clusters: Signal<Clusters | null> = signal(null);
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** What `colorBy` stands for at a stage, or null for the distance and for what is not here. */
  coloring(colorBy: string, contents: Contents | null, left: Left | null): Coded | null {
    if (!isByCluster(colorBy, contents)) return this.concepts.value.get(colorBy) ?? null;
    const clusters = this.#clusters.value;
    return left && clusters?.key === leftKey(left) ? clusters : null;
  }

  /** Whether the concepts and clusters that a picture needs are here. */
  has(axes: readonly string[], colorBy: string, contents: Contents, left: Left): boolean {
    return (
      axes.every((name) => this.concepts.value.has(name)) &&
      (colorBy === "distance" || this.coloring(colorBy, contents, left) !== null)
    );
  }

  /** Fetches those that are not here; the function that it returns puts them in use. */
  async fetch(
    axes: readonly string[],
    colorBy: string,
    contents: Contents,
    left: Left,
    call: Call,
  ): Promise<() => void> {
    const clustered = isByCluster(colorBy, contents);
    const wanted = clustered || colorBy === "distance" ? axes : [...axes, colorBy];
    const missing = wanted.filter((name) => !this.concepts.value.has(name));
    const [fetched, clusters] = await Promise.all([
      missing.length > 0 ? this.#source.concepts(missing, call) : [],
      clustered && !this.coloring(colorBy, contents, left)
        ? this.#source.clusters(left, call)
        : null,
    ]);
    return () => {
      this.#keep(fetched);
      if (clusters) this.#clusters.value = clusters;
    };
  }

  /** Concepts by their names, those that are not here fetched first. */
  async read(names: readonly string[], call: Call): Promise<ReadonlyMap<string, Coded>> {
    const missing = names.filter((name) => !this.concepts.value.has(name));
    if (missing.length > 0) this.#keep(await this.#source.concepts(missing, call));
    return this.concepts.value;
  }

  /** Forgets what it holds: the examples have changed. */
  forget(): void {
    this.concepts.value = new Map();
    this.#clusters.value = null;
  }

  #keep(fetched: readonly Coded[]): void {
    const concepts = new Map(this.concepts.value);
    for (const concept of fetched) concepts.set(concept.name, concept);
    this.concepts.value = concepts;
  }
}

/** Whether the grid is colored by the clusters of the stage, and not by a concept of that name. */
function isByCluster(colorBy: string, contents: Contents | null): boolean {
  return colorBy === CLUSTER && contents?.concepts.includes(CLUSTER) === false;
}
