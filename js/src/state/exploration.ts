import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { chosenText } from "../compute/chosen";
import type { Ranked } from "../compute/ranked";
import { type Atlas, axesAt } from "../data/atlas";
import type { Coded } from "../data/concepts";
import type { Contents, Labels, Saved, Tokens } from "../data/contents";
import { type Arrange, methodOf } from "../data/layout";
import { leftKey } from "../data/left";
import type { Metric } from "../data/metric";
import { parseStage } from "../data/stage";
import type { SharedPattern } from "../data/texts";
import type { Source } from "../source/source";
import { Choice } from "./choice";
import { Display } from "./display";
import { Filtering } from "./filtering";
import { Finder } from "./finder";
import { Folding } from "./folding";
import { Guide } from "./guide";
import { History } from "./history";
import { Knowledge } from "./knowledge";
import { MadeOf } from "./madeof";
import { type Axes, type Picture, PictureMaker, type Wanted } from "./picture";
import { type Place, samePlace, sameVisit, type Visit } from "./place";
import { Swaps } from "./swaps";
import { SwapTests } from "./swaptests";
import { LatestTask, messageOf } from "./task";
import { Texts } from "./texts";
import { Traces } from "./traces";

/** What can stand beside the grid. */
export type Tab = "near" | "made of" | "swap test" | "chosen";

const HISTORY_LIMIT = 200;

/** The state of one figure and what can be done with it. Views read its signals and call its methods. */
export class Exploration {
  readonly contents: Signal<Contents | null> = signal(null);
  readonly labels: Signal<Labels | null> = signal(null);
  readonly tokens: Signal<Tokens | null> = signal(null);

  readonly selected = signal(0);
  readonly stage = signal("");
  readonly arrange: Signal<Arrange> = signal("lattice");
  readonly arrangeBy: Signal<readonly string[]> = signal([]);
  /** The concepts that are set aside. */
  readonly without: Signal<readonly string[]> = signal([]);
  /** What the distances are. */
  readonly metric: Signal<Metric> = signal("l2");
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

  /** The tab that is chosen beside the grid. */
  readonly tab: Signal<Tab> = signal("near");
  /** Those that there are: swap tests need a model, and parts concepts. */
  readonly tabs: ReadonlySignal<readonly Tab[]> = computed(() => {
    const { hasModel = false, concepts = [] } = this.contents.value ?? {};
    const tabs: Tab[] = ["near"];
    if (concepts.length > 0) tabs.push("made of");
    if (hasModel) tabs.push("swap test");
    if (this.choice.text.value !== "") tabs.push("chosen");
    return tabs;
  });
  /** What there is, where no kernel can be asked for more; else null. */
  readonly saved: ReadonlySignal<Saved | null> = computed(() => this.contents.value?.saved ?? null);
  readonly tabShown: ReadonlySignal<Tab> = computed(() =>
    this.tabs.value.includes(this.tab.value) ? this.tab.value : "near",
  );

  readonly choice: Choice;
  readonly knowledge: Knowledge;
  readonly swaps: Swaps;
  readonly texts: Texts;
  readonly madeOf: MadeOf;
  readonly swapTests: SwapTests;
  readonly traces: Traces;
  readonly finder: Finder;
  readonly filtering: Filtering;
  /** How the grid is drawn. */
  readonly display = new Display();
  /** Which layers of the stage map are unfolded. */
  readonly folding = new Folding(this.contents);
  readonly loading = new LatestTask();
  readonly preparing = new LatestTask();
  readonly problem = signal("");
  /** That whoever answers is gone, in words, or "". */
  readonly gone = signal("");
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);

  /** What arranges the grid, and holds a new arrangement back while the grid is in use. */
  readonly guide: Guide;

  /** What the grid is colored by, or null for the distance. */
  readonly colored: ReadonlySignal<Coded | null> = computed(() =>
    this.#maker.coloring(this.colorBy.value, this.contents.value, this.picture.value),
  );

  readonly #source: Source;
  readonly #maker: PictureMaker;
  readonly #history = new History<Visit>(HISTORY_LIMIT);
  /** Fetches what previews need beyond the picture. */
  readonly #previewing = new LatestTask();
  #prepared = false;
  /** The contents are being read again: what is here must not be drawn with the old ones. */
  #reading = false;
  #reads = 0;
  /** The example that was added, to be selected once it has been read. */
  #arriving: number | null = null;
  /** The concept that was made, to color by once it has been read. */
  #coloring: string | null = null;

  /** @param budget bytes of the largest stage matrix to bring here */
  constructor(source: Source, budget: number) {
    this.#source = source;
    this.#maker = new PictureMaker(source, budget);
    this.finder = new Finder(source);
    this.filtering = new Filtering(this.contents, this.labels, (names, call) =>
      this.#maker.concepts(names, call),
    );
    this.choice = new Choice(source, this.contents);
    this.swaps = new Swaps(source);
    this.texts = new Texts(source);
    this.madeOf = new MadeOf(source);
    this.swapTests = new SwapTests(source, this.metric);
    this.traces = new Traces(source);
    this.knowledge = new Knowledge(source, this.settled, this.k, this.metric);
    this.guide = new Guide(this.knowledge.atlas, (atlas) => this.#axesBy(atlas));
  }

  /** Reads, or after a change reads again, what there is, and draws the first picture. */
  async load(): Promise<void> {
    this.#reading = true;
    this.loading.cancel();
    this.#maker.forgetDistances();
    this.#previewing.cancel();
    this.#reads += 1;
    const read = this.#reads;
    const contents = await this.#source.contents().finally(() => {
      if (read === this.#reads) this.#reading = false;
    });
    if (read !== this.#reads) return;
    const arriving = this.#arriving;
    this.#arriving = null;
    if (arriving !== null) this.#history.push(this.#visit());
    batch(() => {
      this.canUndo.value = this.#history.canUndo;
      this.contents.value = contents;
      this.#maker.forgetCodings();
      this.filtering.forget();
      this.knowledge.forget();
      this.traces.forget();
      this.swaps.dismiss();
      this.madeOf.forget();
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
          void this.filtering.again();
        }),
    );
    const made = this.#coloring;
    if (made !== null && contents.concepts.includes(made)) {
      this.#coloring = null;
      this.colorBy.value = made;
    }
    await Promise.all([texts, this.refresh(performance.now())]);
    if (!this.picture.value) return;
    const glancing = this.knowledge.wantsGlance(contents) ? this.knowledge.glance(contents) : null;
    await this.knowledge.read(contents);
    await glancing;
    if (!this.#prepared) {
      this.#prepared = true;
      await this.preparing.run("getting stages ready", (call) => this.#source.prepare(call));
    }
    if (read === this.#reads && this.knowledge.wantsMap) await this.knowledge.map();
  }

  /** Goes somewhere else; what is not named stays. */
  go(to: Partial<Visit>, started = performance.now()): void {
    const before = this.#visit();
    const after = { ...before, ...to };
    if (sameVisit(before, after)) return;
    this.#history.push(before);
    this.#move(after, started);
  }

  /** Filters by a text while it is typed: one step back undoes all of it from the `first` key on. */
  async filter(text: string, first: boolean): Promise<boolean> {
    const before = this.#visit();
    const took = await this.filtering.use(text);
    const changed = took && text !== before.filter;
    if (changed && first) this.#history.push(before);
    this.#tellHistory();
    return changed;
  }

  undo(): void {
    const visit = this.#history.undo(this.#visit());
    if (visit) this.#move(visit, performance.now());
  }

  redo(): void {
    const visit = this.#history.redo(this.#visit());
    if (visit) this.#move(visit, performance.now());
  }

  /** Stops what is loading and stays with what is on screen. */
  cancel(): void {
    this.loading.cancel();
    this.#returnToPicture();
  }

  /** Sets concepts aside, or puts them back. */
  setAside(names: readonly string[], aside: boolean, started?: number): void {
    const others = this.without.value.filter((name) => !names.includes(name));
    this.go({ without: aside ? [...others, ...names] : others }, started);
  }

  /** Chooses examples; the rest fades. */
  choose(examples: ArrayLike<number>): void {
    this.go({ chosen: chosenText(examples) });
    if (examples.length > 0) this.tab.value = "chosen";
  }

  /** Colors the grid by distance, by a concept, or by cluster. */
  color(by: string): void {
    this.colorBy.value = by;
    this.preview.value = null;
    void this.refresh(performance.now());
  }

  /** Colors the grid by a concept that was just made, once it has been read. */
  colorWhenRead(name: string): void {
    if (this.contents.value?.concepts.includes(name)) this.color(name);
    else this.#coloring = name;
  }

  /** Shows all kinds of stages on the map, or those worth showing first. */
  showAllKinds(all: boolean): void {
    this.knowledge.allKinds.value = all;
    if (this.knowledge.wantsMap) void this.knowledge.map();
  }

  /** Arranges the grid as the newest atlas says. */
  rearrange(): void {
    if (this.guide.follow()) void this.refresh(performance.now());
  }

  /** Points out the neighbors whose texts have a pattern, and where they have it; or stops to. */
  markPattern(pattern: SharedPattern | null): void {
    batch(() => {
      this.texts.marked.value = pattern;
      this.knowledge.marked.value =
        pattern && Uint32Array.from(new Set(pattern.matches.filter((_, i) => i % 3 === 0)));
    });
  }

  /** Points at an example, and shows the distances from it where its matrix is here. */
  point(example: number | null): void {
    const picture = this.picture.value;
    const previewed =
      picture &&
      example !== null &&
      example !== picture.selected &&
      this.colorBy.value === "distance"
        ? this.#maker.preview(picture, example)
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
    const place = this.#place();
    if (!contents || this.#reading || place.selected >= contents.n) return;
    const wanted: Wanted = {
      contents,
      place,
      axes: this.guide.axes.value,
      colorBy: this.colorBy.value,
    };
    if (this.#draw(wanted, started)) {
      this.loading.cancel();
      return;
    }
    this.#previewing.cancel();
    try {
      const use = await this.loading.run(place.stage, (call) => this.#maker.fetch(wanted, call));
      if (!use) return;
      batch(() => {
        use();
        this.#draw(wanted, started);
      });
      this.#previewing
        .run("", (call) => this.#maker.fetchPreviews(wanted, call))
        .catch(() => undefined); // Without it a hover shows no preview, and a click asks again.
    } catch (error) {
      this.problem.value = messageOf(error);
      this.#returnToPicture();
    }
  }

  /** Row and column concept, if the grid follows an atlas. */
  #axesBy(atlas: Atlas | null): Axes {
    if (this.plain.value || methodOf(this.arrange.value)) return null;
    const [rows, columns] = this.arrangeBy.value;
    if (rows !== undefined && columns !== undefined) return [rows, columns];
    const suited = atlas && axesAt(atlas, this.stage.value);
    const position = parseStage(this.stage.value)?.position;
    return suited ?? ((position !== undefined && this.contents.value?.axes[position]) || null);
  }

  /** Draws if all that it takes is here; returns whether it did. */
  #draw(wanted: Wanted, started: number): boolean {
    const picture = this.#maker.make(wanted, started);
    if (!picture) return false;
    const before = this.picture.value;
    const moved =
      before && (before.selected !== picture.selected || leftKey(before) !== leftKey(picture));
    batch(() => {
      // A range of distances means another set of examples elsewhere.
      if (moved) this.display.band.value = null;
      this.preview.value = null;
      this.pointed.value = null;
      this.knowledge.marked.value = null;
      this.problem.value = "";
      this.picture.value = picture;
    });
    return true;
  }

  #place(): Place {
    return {
      selected: this.selected.value,
      stage: this.stage.value,
      arrange: this.arrange.value,
      arrangeBy: this.arrangeBy.value,
      without: this.without.value,
      metric: this.metric.value,
      plain: this.plain.value,
    };
  }

  #visit(): Visit {
    return {
      ...this.#place(),
      filter: this.filtering.text.value,
      chosen: this.choice.text.value,
    };
  }

  #move(visit: Visit, started: number): void {
    const stays = samePlace(visit, this.#place());
    if (visit.stage !== this.stage.value) this.guide.follow();
    this.#put(visit);
    this.choice.text.value = visit.chosen;
    if (visit.filter !== this.filtering.text.value) void this.filtering.use(visit.filter);
    if (!stays) void this.refresh(started);
  }

  #returnToPicture(): void {
    const picture = this.picture.value;
    if (!picture) return;
    if (this.colored.value === null) this.colorBy.value = "distance";
    this.#history.dropLatest((visit) => samePlace(visit, picture));
    this.#put(picture);
  }

  #put(place: Place): void {
    batch(() => {
      this.selected.value = place.selected;
      this.stage.value = place.stage;
      this.arrange.value = place.arrange;
      this.arrangeBy.value = place.arrangeBy;
      this.without.value = place.without;
      this.metric.value = place.metric;
      this.plain.value = place.plain;
      this.finder.problem.value = "";
      this.#tellHistory();
    });
  }

  #tellHistory(): void {
    this.canUndo.value = this.#history.canUndo;
    this.canRedo.value = this.#history.canRedo;
  }
}
