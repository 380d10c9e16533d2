import { computed, effect, untracked } from "@preact/signals";
import { shownKinds } from "../data/contents";
import { leftKey } from "../data/left";
import type { Metric } from "../data/metric";
import type { Exploration } from "./exploration";

/** The lens is asked for once an example has stayed selected this long, in ms; not while walking. */
const REST_MS = 120;
/** What a stage is made of is asked for, for the bar under its name, after so long, in ms. */
const STAY_MS = 400;

/** Asks the source about what is on screen, until the signal ends it. Views start no such work. */
export function followPicture(exploration: Exploration, signal: AbortSignal): void {
  const stops = [
    followAtlas(exploration),
    followSwap(exploration),
    followTrace(exploration),
    followLens(exploration),
    followTexts(exploration),
    followParts(exploration),
    followSecondParts(exploration),
    followMetric(exploration),
    followKnownTests(exploration),
    followTest(exploration),
  ];
  signal.addEventListener("abort", () => {
    for (const stop of stops) stop();
  });
}

/**
 * Runs `work` after what the page does now, so that the picture's own requests go first.
 * Returns a function that calls it off: an effect's cleanup.
 */
function later(work: () => Promise<void> | void, ms = 0): () => void {
  const timer = setTimeout(() => void work(), ms);
  return () => clearTimeout(timer);
}

/** Arranges the grid by a new atlas, once neither the pointer nor the focus is in it. */
function followAtlas(exploration: Exploration): () => void {
  const { guide, knowledge } = exploration;
  return effect(() => {
    void knowledge.atlas.value;
    if (!guide.inUse.value) untracked(() => exploration.rearrange());
  });
}

/** Repeats the swap at another stage; ends it when another example is selected. */
function followSwap({ settled, swaps }: Exploration): () => void {
  return effect(() => {
    const picture = settled.value;
    if (!picture) return;
    return later(() => swaps.follow(picture));
  });
}

/** Captions the selected example's answers, and traces the one whose tab is pressed. */
function followTrace({ contents, settled, traces }: Exploration): () => void {
  return effect(() => {
    const picture = settled.value;
    const now = contents.value;
    if (!picture || !now?.hasModel || picture.selected >= now.n) return;
    return later(() => traces.follow(picture.selected, picture.started));
  });
}

/** Asks for the lens while the neighbors are shown, which it stands beside. */
function followLens({ contents, settled, k, tabShown, knowledge }: Exploration): () => void {
  const hasModel = computed(() => contents.value?.hasModel && contents.value.saved === null);
  return effect(() => {
    const picture = settled.value;
    const count = k.value;
    if (!picture || !hasModel.value || tabShown.value !== "near") return;
    const { stage, selected } = picture;
    return later(() => knowledge.look(stage, selected, count), REST_MS);
  });
}

/** Asks for what the neighbors' texts share, while the neighbors are shown. */
function followTexts({ contents, settled, k, tabShown, texts }: Exploration): () => void {
  const hasTexts = computed(() => contents.value?.hasTexts ?? false);
  return effect(() => {
    const picture = settled.value;
    const count = k.value;
    if (!picture || !hasTexts.value || tabShown.value !== "near") return;
    return later(() => texts.look(picture, picture.selected, count), REST_MS);
  });
}

/**
 * Asks what the stage is made of, for the tab and for the bar under its name. It is called off as
 * soon as another stage is wanted, whose picture would wait for it.
 */
function followParts(exploration: Exploration): () => void {
  const { contents, settled, stage, without, metric, tabShown, madeOf } = exploration;
  const wanted = computed(() =>
    leftKey({ stage: stage.value, without: without.value, metric: metric.value }),
  );
  const shown = computed(() => settled.value && leftKey(settled.value));
  return effect(() => {
    const named = (contents.value?.concepts.length ?? 0) > 0;
    const tab = tabShown.value;
    if (shown.value !== wanted.value || !named || tab === "swap test") return;
    const left = { stage: stage.peek(), without: without.peek(), metric: metric.peek() };
    const stop = later(() => madeOf.look(left), tab === "made of" ? 0 : STAY_MS);
    return () => {
      stop();
      madeOf.looking.cancel();
    };
  });
}

/**
 * Asks for the second parts of stages while the map is to show them. What is found when the map
 * shows something else is kept by the source; swap tests need not wait for the rest.
 */
function followSecondParts({ contents, metric, madeOf, knowledge }: Exploration): () => void {
  return effect(() => {
    const now = contents.value;
    const by = metric.value;
    const all = knowledge.allKinds.value;
    if (!now || !madeOf.mapped.value) return;
    const stop = later(() => madeOf.map(shownKinds(now, all), by));
    return () => {
      stop();
      madeOf.mapping.cancel();
    };
  });
}

/** By another metric the stage map has other colors, and swap tests have other donors. */
function followMetric({ settled, knowledge, swapTests }: Exploration): () => void {
  const by = computed(() => settled.value?.metric);
  let before: Metric | undefined;
  return effect(() => {
    const now = by.value;
    const changed = before !== undefined && now !== before;
    before = now;
    if (!changed) return;
    return untracked(() => {
      swapTests.forget();
      // What is under way is by the metric before.
      knowledge.mapping.cancel();
      return knowledge.wantsMap ? later(() => knowledge.map()) : undefined;
    });
  });
}

/** Asks which swap tests are known once they are shown, on the map or beside the grid. */
function followKnownTests(exploration: Exploration): () => void {
  const { contents, settled, tabShown, swapTests, knowledge } = exploration;
  const by = computed(() => settled.value?.metric);
  return effect(() => {
    void by.value;
    const shown = swapTests.mapped.value || tabShown.value === "swap test";
    const now = contents.value;
    const all = knowledge.allKinds.value;
    if (!now || !shown) return;
    return later(() => swapTests.recall(shownKinds(now, all)));
  });
}

/** Shows the stage's swap test beside the grid, if it is known. */
function followTest({ stage, tabShown, swapTests }: Exploration): () => void {
  const known = computed(() => swapTests.known.value.get(stage.value));
  return effect(() => {
    const now = stage.value;
    if (!known.value || tabShown.value !== "swap test") return;
    return later(() => swapTests.open(now));
  });
}
