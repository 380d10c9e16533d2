import type { Arrangement } from "../compute/blocks";
import type { Ranked } from "../compute/ranked";
import type { Coded } from "../data/concepts";
import type { Contents } from "../data/contents";
import { type Layout, methodOf } from "../data/layout";
import type { Left } from "../data/left";
import type { Call, Source } from "../source/source";
import { Arranger } from "./arranger";
import { Codings } from "./codings";
import type { Place } from "./place";
import { type Measured, Supply } from "./supply";

/** What the grid shows. */
export interface Picture extends Measured, Place {
  readonly arrangement: Arrangement;
  /** Where each example is on the map; null where the grid is a lattice. */
  readonly layout: Layout | null;
  /** When what led to it began, on the page's clock, in ms. */
  readonly started: number;
}

/** Row and column concept of the grid, or null for the plain order. */
export type Axes = readonly [string, string] | null;

/** What a picture is to show. */
export interface Wanted {
  readonly contents: Contents;
  readonly place: Place;
  readonly axes: Axes;
  readonly colorBy: string;
}

/** Makes pictures: distances, and where each example lies; fetches what they need. */
export class PictureMaker {
  readonly #source: Source;
  readonly #supply: Supply;
  readonly #codings: Codings;
  readonly #arranger = new Arranger();

  /** @param budget bytes of the largest stage matrix to bring here */
  constructor(source: Source, budget: number) {
    this.#source = source;
    this.#supply = new Supply(source, budget);
    this.#codings = new Codings(source);
  }

  /** What `colorBy` stands for at a stage, or null for the distance and for what is not here. */
  coloring(colorBy: string, contents: Contents | null, left: Left | null): Coded | null {
    return this.#codings.coloring(colorBy, contents, left);
  }

  /** The picture, or null if what it needs is not here. Its arrays are valid until the next one. */
  make({ contents, place, axes, colorBy }: Wanted, started: number): Picture | null {
    const { selected } = place;
    if (!this.#codings.has(axes ?? [], colorBy, contents, place)) return null;
    const measured = this.#supply.measure(place, selected);
    if (!measured) return null;
    const method = methodOf(place.arrange);
    const layout = method && this.#source.heldLayout(place, method);
    if (layout === undefined) return null;
    const { order } = measured.ranked;
    const arrangement = this.#arranger.arrange(order, axes, this.#codings.concepts.value);
    return { ...place, ...measured, arrangement, layout, started };
  }

  /** Fetches what the picture needs; the function that it returns puts that in use. */
  async fetch(wanted: Wanted, call: Call): Promise<() => void> {
    const { contents, place, axes, colorBy } = wanted;
    const method = methodOf(place.arrange);
    const [use] = await Promise.all([
      this.#codings.fetch(axes ?? [], colorBy, contents, place, call),
      this.#supply.fetch(contents, place, place.selected, call),
      method && !this.#source.heldLayout(place, method)
        ? this.#source.layout(place, method, call)
        : null,
    ]);
    return use;
  }

  /** Fetches what previews at the stage need. */
  async fetchPreviews({ contents, place }: Wanted, call: Call): Promise<void> {
    await this.#supply.fetchMatrix(contents, place, call);
  }

  /** Distances from any example, or null where the stage's matrix is not here. */
  preview(left: Left, example: number): Ranked | null {
    return this.#supply.preview(left, example);
  }

  /** Concepts by their names, those that are not here fetched first. */
  concepts(names: readonly string[], call: Call): Promise<ReadonlyMap<string, Coded>> {
    return this.#codings.read(names, call);
  }

  /** Forgets distances and places: the examples or the model have changed. */
  forgetDistances(): void {
    this.#supply.forget();
    this.#arranger.forget();
  }

  /** Forgets concepts and clusters. The picture on screen loses its colors with them. */
  forgetCodings(): void {
    this.#codings.forget();
  }
}
