import type { TraitModel, Traits } from "./traits";

/** The traits that a page may have been saved without. */
const USUAL = {
  metric: "l2",
  arrange: "lattice",
  chosen: "",
  plain: false,
  filter: "",
  scale: "linear",
  palette: "viridis",
  near: "bright",
  zoom: [1, 0, 0],
  unfolded: null,
  group: "",
} as const;

type Given = Omit<Traits, keyof typeof USUAL> & Partial<Traits>;

/** The traits of a figure that no Python widget stands behind: they stay in the page. */
export class LocalTraits implements TraitModel {
  readonly #values: Traits;

  constructor(values: Given) {
    this.#values = { ...USUAL, zoom: [...USUAL.zoom], ...values };
  }

  get<K extends keyof Traits>(name: K): Traits[K] {
    return this.#values[name];
  }

  set<K extends keyof Traits>(name: K, value: Traits[K]): void {
    this.#values[name] = value;
  }

  // Nobody else sets them, so there is nothing to tell of.
  save_changes(): void {}
  on(): void {}
  off(): void {}
}
