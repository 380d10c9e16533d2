import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { nearest } from "../compute/distances";
import {
  type Shared,
  SharedConcepts,
  type SharedGroup,
  significantGroups,
} from "../compute/neighbors";
import type { Ranked } from "../compute/ranked";
import type { Atlas } from "../data/atlas";
import { type Contents, shownKinds } from "../data/contents";
import type { Lens } from "../data/lens";
import type { Metric } from "../data/metric";
import type { Source } from "../source/source";
import { LatestTask, messageOf } from "./task";

/** The map is colored by so many examples first, and then by all. */
const GLANCED = 1000;
/** Share of the examples that may be added before the atlas is asked for again. */
const FEW = 0.01;

/** What knowledge is about: distances from the selected example. */
interface Shown {
  readonly selected: number;
  readonly stage: string;
  readonly ranked: Ranked;
}

/** What the neighbors on screen share. */
export interface SharedNow {
  readonly selected: number;
  readonly near: Uint32Array;
  readonly groups: readonly SharedGroup[];
}

/** What the named concepts and the model say about stages and neighbors. */
export class Knowledge {
  readonly atlas: Signal<Atlas | null> = signal(null);
  readonly lens: Signal<Lens | null> = signal(null);
  /** Loads the model where that was put off. */
  readonly loadingModel = new LatestTask();
  /** Why the model could not be loaded; empty where it was not tried, or could. */
  readonly unloaded = signal("");
  readonly shared: ReadonlySignal<SharedNow | null>;
  /** Examples to point out in the grid in place of all neighbors. */
  readonly marked: Signal<Uint32Array | null> = signal(null);
  /** The concept whose shares the stage map shows; null for what explains each stage. */
  readonly mapped: Signal<string | null> = signal(null);
  readonly allKinds = signal(false);
  /** Why there are no shared concepts and no atlas, in words. */
  readonly problem = signal("");

  readonly mapping = new LatestTask();
  readonly looking = new LatestTask();

  readonly #source: Source;
  readonly #metric: ReadonlySignal<Metric>;
  readonly #concepts: Signal<SharedConcepts | null> = signal(null);
  #contents: Contents | null = null;
  /** Whether the atlas here has all kinds, and of how many examples it is. */
  #complete = false;
  #examples = 0;
  #by: Metric = "l2";

  /**
   * @param shown what is on screen beside the lists
   * @param k how many neighbors there are
   * @param metric what distances are
   */
  constructor(
    source: Source,
    shown: ReadonlySignal<Shown | null>,
    k: ReadonlySignal<number>,
    metric: ReadonlySignal<Metric>,
  ) {
    this.#source = source;
    this.#metric = metric;
    this.shared = computed(() => {
      const concepts = this.#concepts.value;
      const now = shown.value;
      if (!concepts || !now) return null;
      const { order } = now.ranked;
      const near = nearest(order, now.selected, k.value);
      const { wide, significant } = concepts.partitions;
      const rows = concepts.of(now.selected, near, nearest(order, now.selected, wide));
      const groups = significantGroups(rows, significant);
      return { selected: now.selected, near, groups };
    });
  }

  /** Forgets what depends on each example; the atlas does not. */
  forget(): void {
    this.#concepts.value = null;
    this.marked.value = null;
  }

  /** Reads the concepts that neighbors may share. */
  async read(contents: Contents): Promise<void> {
    this.#contents = contents;
    if (contents.concepts.length === 0) return;
    try {
      const partitions = await this.#source.partitions();
      if (contents !== this.#contents) return;
      this.#concepts.value = partitions.all.length > 0 ? new SharedConcepts(partitions) : null;
      this.problem.value = "";
    } catch (error) {
      this.problem.value = messageOf(error);
    }
  }

  /** Whether the atlas here lacks kinds on the map, is by another metric, or of other examples. */
  get wantsMap(): boolean {
    const n = this.#contents?.n ?? 0;
    const others = Math.abs(n - this.#examples) > FEW * this.#examples;
    const measured = this.#by !== this.#metric.value;
    return others || measured || (this.allKinds.value && !this.#complete);
  }

  /** Whether the map has no colors, and all examples would take long to give it some. */
  wantsGlance({ n, concepts }: Contents): boolean {
    return this.atlas.value === null && concepts.length > 0 && n > 2 * GLANCED;
  }

  /** Asks for the atlas of the first examples: the map has its colors soon. */
  glance(contents: Contents): Promise<void> {
    return this.#ask(contents, GLANCED);
  }

  /** Asks for the atlas of the kinds that are shown. */
  async map(): Promise<void> {
    if (this.#contents && this.#concepts.value) await this.#ask(this.#contents, null);
  }

  async #ask(contents: Contents, first: number | null): Promise<void> {
    const all = this.allKinds.value;
    const metric = this.#metric.value;
    const kinds = shownKinds(contents, all);
    try {
      const atlas = await this.mapping.run("finding what explains each stage", (call) =>
        this.#source.atlas(kinds, first, metric, call),
      );
      if (!atlas) return;
      if (first === null) {
        this.#complete = all;
        this.#by = metric;
        this.#examples = contents.n;
      }
      this.atlas.value = atlas;
    } catch (error) {
      // What is wrong with the first is wrong with all, and read() or map() says it.
      if (first === null) this.problem.value = messageOf(error);
    }
  }

  /** Loads the model, which was put off until it is needed, to read the stage with it. */
  async load(stage: string, selected: number, k: number): Promise<void> {
    this.unloaded.value = "";
    try {
      // Another example or stage may be looked at meanwhile: the model is loaded all the same.
      await this.loadingModel.run("loading the model", (call) => this.#source.load(call));
    } catch (error) {
      this.unloaded.value = messageOf(error);
      return;
    }
    await this.look(stage, selected, k);
  }

  /** Asks what the model would answer if it stopped at a stage. */
  async look(stage: string, selected: number, k: number): Promise<void> {
    try {
      const lens = await this.looking.run("", (call) =>
        this.#source.lens(stage, selected, k, this.#metric.peek(), call),
      );
      if (lens) this.lens.value = lens;
    } catch {
      // The panel beside the grid goes without it; the grid says what is wrong with the stage.
      this.lens.value = null;
    }
  }

  /** What some examples share, strongest first. */
  sharedBy(examples: Uint32Array): readonly SharedGroup[] {
    const concepts = this.#concepts.value;
    if (!concepts || examples.length === 0) return [];
    return significantGroups(concepts.ofSet(examples), concepts.partitions.significant);
  }

  /** Points out the neighbors that share a value, or stops to. */
  mark(row: Shared | null): void {
    const { near } = this.shared.value ?? {};
    const { codes } = row?.partition ?? {};
    this.marked.value =
      near && codes && row ? near.filter((example) => codes[example] === row.code) : null;
  }
}
