import { type CsvCell, csvText } from "../../compute/csv";
import { nearest } from "../../compute/distances";
import { stateText } from "../../compute/viewstate";
import type { Exploration } from "../../state/exploration";

/** The neighbors that are listed, as a table. */
export function neighborsCsv(exploration: Exploration): string {
  const { settled, labels, k, filtering } = exploration;
  const picture = settled.value;
  if (!picture) return "";
  const { order, distances } = picture.ranked;
  const mask = filtering.mask.value;
  const rows = Array.from(nearest(order, picture.selected, k.value), (example): CsvCell[] => [
    example,
    labels.value?.at(example) ?? "",
    // So many digits tell one float32 from the next.
    Number((distances[example] as number).toPrecision(9)),
    ...(mask ? [mask[example] === 1] : []),
  ]);
  return csvText(["example", "label", "distance", ...(mask ? ["passes_filter"] : [])], rows);
}

/** What they share, as a table. */
export function sharedCsv({ knowledge }: Exploration): string {
  const rows = (knowledge.shared.value?.groups ?? []).flatMap(({ head, nested }) =>
    [head, ...nested].map(({ partition, code, share, base, p, under }): CsvCell[] => [
      partition.name,
      partition.values[code] ?? "",
      share,
      base,
      p,
      under?.name ?? "",
    ]),
  );
  return csvText(["concept", "value", "share", "base", "p", "under"], rows);
}

/** The view on screen as a text that `w.state` takes. */
export function viewText(exploration: Exploration): string {
  const { selected, stage, k, colorBy, arrange, arrangeBy, without, metric, plain, filtering } =
    exploration;
  const { scale, palette, near, zoom } = exploration.display;
  return stateText({
    stage: stage.value,
    selected: selected.value,
    k: k.value,
    colorBy: colorBy.value,
    arrange: arrange.value,
    arrangeBy: arrangeBy.value,
    without: without.value,
    metric: metric.value,
    plain: plain.value,
    filter: filtering.text.value,
    scale: scale.value,
    palette: palette.value,
    near: near.value,
    zoom: zoom.value,
    unfolded: exploration.folding.unfolded.value,
  });
}
