import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Arranger } from "./arranger";
import { Codings } from "./codings";
import { axesAt } from "./compute/atlas";
import type { Arrangement, Coded } from "./compute/blocks";
import type { Ranked } from "./compute/picture";
import { parseStage } from "./compute/stage";
import { Finder } from "./finder";
import { History } from "./history";
import { Knowledge } from "./knowledge";
import { LatestTask } from "./loader";
import { type Place, samePlace } from "./place";
import type { Contents, Labels, Source, Tokens } from "./source/source";
import { type Measured, Supply } from "./supply";
import { Swaps } from "./swaps";
import { SwapTests } from "./swaptests";
import { Tracing } from "./tracing";

/** What the grid shows. */
export interface Picture extends Measured, Place {
  readonly arrangement: Arrangement;
  /** When what led to it began, on the page's clock, in ms. */
  readonly started: number;
}

/** Row and column concept of the grid, or null for the plain order. */
type Axes = readonly [string, string] | null;

const HISTORY_LIMIT = 200;

/** The state of one figure and what can be done with it. Views read its signals and call its methods. */
export class Exploration {
  readonly contents: Signal<Contents | null> = signal(null);
  readonly labels: Signal<Labels | null> = signal(null);
  readonly tokens: Signal<Tokens | null> = signal(null);

  readonly selected = signal(0);
  readonly stage = signal("");
  readonly arrangeBy: Signal<readonly string[]> = signal([]);
  readonly plain = signal(false);
  readonly k = signal(100);
  readonly colorBy = signal("distance");

  readonly picture: Signal<Picture | null> = signal(null);
  /** The picture once it is on screen: lists beside the grid follow this, so that they never delay it. */
  readonly settled: Signal<Picture | null> = signal(null);
  /** The example under the pointer or the keyboard's cursor. */
  readonly pointed: Signal<number | null> = signal(null);
  /** Distances from the pointed example, while the grid shows those. */
  readonly preview: Signal<Ranked | null> = signal(null);

  readonly knowledge: Knowledge;
  readonly swaps: Swaps;
  readonly swapTests: SwapTests;
  readonly tracing: Tracing;
  readonly finder: Finder;
  readonly loading = new LatestTask();
  readonly preparing = new LatestTask();
  readonly problem = signal("");
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);

  /** Row and column concept of the grid now, or null for the plain order. */
  readonly axes: ReadonlySignal<Axes> = computed(() => {
    if (this.plain.value) return null;
    const [rows, columns] = this.arrangeBy.value;
    if (rows !== undefined && columns !== undefined) return [rows, columns];
    const { atlas } = this.knowledge;
    const suited = atlas.value && axesAt(atlas.value, this.stage.value);
    const position = parseStage(this.stage.value)?.position;
    return suited ?? ((position !== undefined && this.contents.value?.axes[position]) || null);
  });

  /** What the grid is colored by, or null for the distance. */
  readonly colored: ReadonlySignal<Coded | null> = computed(() =>
    this.#codings.coloring(this.colorBy.value, this.contents.value, this.picture.value?.stage),
  );

  readonly #source: Source;
  readonly #supply: Supply;
  readonly #codings: Codings;
  readonly #history = new History<Place>(HISTORY_LIMIT);
  readonly #arranger = new Arranger();
  /** Brings what hovering needs and the picture did not. */
  readonly #hovering = new LatestTask();
  #prepared = false;
  /** What was read is being read anew, and must not be drawn with what is here. */
  #reading = false;
  #reads = 0;
  /** An example that was added, and is selected when it has been read. */
  #arriving: number | null = null;

  /** @param budget bytes of the largest stage matrix to bring here */
  constructor(source: Source, budget: number) {
    this.#source = source;
    this.#supply = new Supply(source, budget);
    this.finder = new Finder(source);
    this.swaps = new Swaps(source);
    this.swapTests = new SwapTests(source);
    this.tracing = new Tracing(source);
    this.#codings = new Codings(source);
    this.knowledge = new Knowledge(source, this.settled, this.k);
  }

  /** Reads, or after a change reads again, what there is, and draws the first picture. */
  async load(): Promise<void> {
    this.#reading = true;
    this.loading.cancel();
    this.#supply.forget();
    this.#arranger.forget();
    this.#hovering.cancel();
    const read = ++this.#reads;
    const contents = await this.#source.contents().finally(() => {
      if (read === this.#reads) this.#reading = false;
    });
    if (read !== this.#reads) return;
    const arriving = this.#arriving;
    this.#arriving = null;
    if (arriving !== null) this.#history.push(this.#place());
    batch(() => {
      this.canUndo.value = this.#history.canUndo;
      this.contents.value = contents;
      this.#codings.forget();
      this.knowledge.forget();
      this.tracing.forget();
      this.swaps.dismiss();
      this.swapTests.forget();
      this.preview.value = null;
      this.pointed.value = null;
      this.selected.value = Math.min(arriving ?? this.selected.value, contents.n - 1);
    });
    const texts = Promise.all([this.#source.tokens(), this.#source.labels()]).then(
      ([tokens, labels]) =>
        batch(() => {
          this.tokens.value = tokens;
          this.labels.value = labels;
        }),
    );
    await Promise.all([texts, this.refresh(performance.now())]);
    if (!this.picture.value) return;
    await this.knowledge.read(contents);
    if (!this.#prepared) {
      this.#prepared = true;
      await this.preparing.run("getting stages ready", (call) => this.#source.prepare(call));
    }
    if (read === this.#reads && this.knowledge.wantsMap) await this.#map();
  }

  /** Goes somewhere else; what is not named stays. */
  go(to: Partial<Place>, started = performance.now()): void {
    const before = this.#place();
    const after = { ...before, ...to };
    if (samePlace(before, after)) return;
    this.#history.push(before);
    this.#move(after, started);
  }

  undo(): void {
    const place = this.#history.undo(this.#place());
    if (place) this.#move(place, performance.now());
  }

  redo(): void {
    const place = this.#history.redo(this.#place());
    if (place) this.#move(place, performance.now());
  }

  /** Stops what is loading and stays with what is on screen. */
  cancel(): void {
    this.loading.cancel();
    this.#returnToPicture();
  }

  /** Colors the grid by distance, by a concept, or by cluster. */
  color(by: string): void {
    this.colorBy.value = by;
    this.preview.value = null;
    void this.refresh(performance.now());
  }

  /** Shows all kinds of stages on the map, or those worth showing first. */
  showAllKinds(all: boolean): void {
    this.knowledge.allKinds.value = all;
    if (this.knowledge.wantsMap) void this.#map();
  }

  /** Points at an example, and shows the distances from it where its matrix is here. */
  point(example: number | null): void {
    const picture = this.picture.value;
    const previewed =
      picture &&
      example !== null &&
      example !== picture.selected &&
      this.colorBy.value === "distance"
        ? this.#supply.preview(picture.stage, example)
        : null;
    batch(() => {
      this.pointed.value = example;
      this.preview.value = previewed;
    });
  }

  /** Lets what is beside the grid follow the picture, which is on screen now. */
  settle(picture: Picture): void {
    if (picture === this.picture.value) this.settled.value = picture;
  }

  /** Selects the example that a text stands for. */
  async find(text: string): Promise<void> {
    const labels = this.labels.value;
    const found = this.contents.value?.canParse
      ? await this.finder.parsed(text)
      : labels && (await this.finder.labelled(text, labels, this.selected.value));
    if (!found) return;
    // The source tells of an added one next, and it is selected once it has been read.
    if (found.added) this.#arriving = found.index;
    else this.go({ selected: found.index });
  }

  /** Draws what is wanted now: at once if all of it is here, and otherwise when it has come. */
  async refresh(started: number): Promise<void> {
    const contents = this.contents.value;
    const stage = this.stage.value;
    const selected = this.selected.value;
    if (!contents || this.#reading || selected >= contents.n) return;
    const axes = this.axes.value;
    const by = this.colorBy.value;
    const complete = this.#codings.has(axes ?? [], by, contents, stage);
    if (complete && this.#draw(stage, selected, axes, started)) {
      this.loading.cancel();
      return;
    }
    this.#hovering.cancel();
    try {
      const use = await this.loading.run(stage, async (call) => {
        const [codings] = await Promise.all([
          this.#codings.fetch(axes ?? [], by, contents, stage, call),
          this.#supply.fetch(contents, stage, selected, this.k.value, call),
        ]);
        return codings;
      });
      if (!use) return;
      batch(() => {
        use();
        this.#draw(stage, selected, axes, started);
      });
      this.#hovering
        .run("", (call) => this.#supply.bring(contents, stage, call))
        .catch(() => undefined); // Without it a hover shows no preview, and a click asks again.
    } catch (error) {
      this.problem.value = messageOf(error);
      this.#returnToPicture();
    }
  }

  /** Gets the atlas, and arranges the grid as it says. */
  async #map(): Promise<void> {
    const axes = String(this.axes.value);
    await this.knowledge.map();
    if (String(this.axes.value) !== axes) await this.refresh(performance.now());
  }

  /** Draws if all that it takes is here; returns whether it did. */
  #draw(stage: string, selected: number, axes: Axes, started: number): boolean {
    const measured = this.#supply.measure(stage, selected);
    if (!measured) return false;
    const arrangement = this.#arranger.arrange(
      measured.ranked.order,
      axes,
      this.#codings.concepts.value,
    );
    batch(() => {
      this.preview.value = null;
      this.pointed.value = null;
      this.knowledge.marked.value = null;
      this.problem.value = "";
      this.picture.value = { ...this.#place(), ...measured, arrangement, started };
    });
    return true;
  }

  #place(): Place {
    return {
      selected: this.selected.value,
      stage: this.stage.value,
      arrangeBy: this.arrangeBy.value,
      plain: this.plain.value,
    };
  }

  #move(place: Place, started: number): void {
    this.#put(place);
    void this.refresh(started);
  }

  #returnToPicture(): void {
    const picture = this.picture.value;
    if (!picture) return;
    if (this.colored.value === null) this.colorBy.value = "distance";
    this.#history.dropLatest((place) => samePlace(place, picture));
    this.#put(picture);
  }

  #put(place: Place): void {
    batch(() => {
      this.selected.value = place.selected;
      this.stage.value = place.stage;
      this.arrangeBy.value = place.arrangeBy;
      this.plain.value = place.plain;
      this.finder.problem.value = "";
      this.canUndo.value = this.#history.canUndo;
      this.canRedo.value = this.#history.canRedo;
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
