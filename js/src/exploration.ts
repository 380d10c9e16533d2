import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Arranger } from "./arranger";
import { axesAt } from "./compute/atlas";
import type { Arrangement, Coded } from "./compute/blocks";
import type { Ranked } from "./compute/picture";
import { parseStage } from "./compute/stage";
import { nextLabelled } from "./example";
import { History } from "./history";
import { isByCluster, Knowledge } from "./knowledge";
import { LatestTask } from "./loader";
import { type Place, samePlace } from "./place";
import type { Call, Contents, Labels, Source, Tokens } from "./source/source";
import { type Measured, Supply } from "./supply";

/** What the grid shows. */
export interface Picture extends Measured, Place {
  readonly arrangement: Arrangement;
  /** When what led to it began, on the page's clock, in ms. */
  readonly started: number;
}

const HISTORY_LIMIT = 200;

/** The state of one figure and what can be done with it. Views read its signals and call its methods. */
export class Exploration {
  readonly contents: Signal<Contents | null> = signal(null);
  readonly labels: Signal<Labels | null> = signal(null);
  readonly tokens: Signal<Tokens | null> = signal(null);
  readonly concepts: Signal<ReadonlyMap<string, Coded>> = signal(new Map());

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
  readonly loading = new LatestTask();
  readonly finding = new LatestTask();
  readonly preparing = new LatestTask();
  readonly problem = signal("");
  readonly typedProblem = signal("");
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);

  /** Row and column concept of the grid now, or null for the plain order. */
  readonly axes: ReadonlySignal<readonly [string, string] | null> = computed(() => {
    if (this.plain.value) return null;
    const [rows, columns] = this.arrangeBy.value;
    if (rows !== undefined && columns !== undefined) return [rows, columns];
    const { atlas } = this.knowledge;
    const suited = atlas.value && axesAt(atlas.value, this.stage.value);
    const position = parseStage(this.stage.value)?.position;
    return suited ?? ((position !== undefined && this.contents.value?.axes[position]) || null);
  });

  /** What the grid is colored by, or null for the distance. */
  readonly colored: ReadonlySignal<Coded | null> = computed(() => {
    const by = this.colorBy.value;
    if (!isByCluster(by, this.contents.value)) return this.concepts.value.get(by) ?? null;
    const clusters = this.knowledge.clusters.value;
    return clusters?.stage === this.picture.value?.stage ? clusters : null;
  });

  readonly #source: Source;
  readonly #supply: Supply;
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
      this.concepts.value = new Map();
      this.knowledge.forget();
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
    if (read === this.#reads) await this.#map();
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
    if (this.knowledge.wantsMore) void this.#map();
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
    this.typedProblem.value = "";
    try {
      const index = this.contents.value?.canParse
        ? await this.#findByParsing(text)
        : this.labels.value && nextLabelled(this.labels.value, text, this.selected.value);
      if (index != null) this.go({ selected: index });
    } catch (error) {
      this.typedProblem.value = messageOf(error);
    }
  }

  /** Draws what is wanted now: at once if all of it is here, and otherwise when it has come. */
  async refresh(started: number): Promise<void> {
    const contents = this.contents.value;
    const stage = this.stage.value;
    const selected = this.selected.value;
    if (!contents || this.#reading || selected >= contents.n) return;
    const wanted = [...(this.axes.value ?? [])];
    const clustered = isByCluster(this.colorBy.value, contents);
    if (this.colorBy.value !== "distance" && !clustered) wanted.push(this.colorBy.value);
    const missing = wanted.filter((name) => !this.concepts.value.has(name));
    const complete =
      missing.length === 0 && (!clustered || this.knowledge.clusters.value?.stage === stage);
    if (complete && this.#draw(stage, selected, started)) {
      this.loading.cancel();
      return;
    }
    this.#hovering.cancel();
    try {
      const found = await this.loading.run(stage, async (call) => {
        const [clusters] = await Promise.all([
          clustered ? this.knowledge.clustersAt(stage, call) : null,
          this.#fetchConcepts(missing, call),
          this.#supply.fetch(contents, stage, selected, this.k.value, call),
        ]);
        return { clusters };
      });
      if (!found) return;
      batch(() => {
        if (found.clusters) this.knowledge.clusters.value = found.clusters;
        this.#draw(stage, selected, started);
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

  async #fetchConcepts(names: readonly string[], call: Call): Promise<void> {
    if (names.length === 0) return;
    const concepts = new Map(this.concepts.value);
    for (const concept of await this.#source.concepts(names, call)) {
      concepts.set(concept.name, concept);
    }
    this.concepts.value = concepts;
  }

  /** Draws if all that it takes is here; returns whether it did. */
  #draw(stage: string, selected: number, started: number): boolean {
    const measured = this.#supply.measure(stage, selected);
    if (!measured) return false;
    const arrangement = this.#arranger.arrange(
      measured.ranked.order,
      this.axes.value,
      this.concepts.value,
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

  async #findByParsing(text: string): Promise<number | undefined> {
    const found = await this.finding.run(`looking for ${text}`, (call) =>
      this.#source.find(text, call),
    );
    if (!found?.added) return found?.index;
    // The source tells of the change next, and the example is selected once it has been read.
    this.#arriving = found.index;
    return undefined;
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
      this.typedProblem.value = "";
      this.canUndo.value = this.#history.canUndo;
      this.canRedo.value = this.#history.canRedo;
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
