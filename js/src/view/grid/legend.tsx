import { useComputed } from "@preact/signals";
import { conceptColors, distanceColor } from "../../compute/color";
import { nearest } from "../../compute/distances";
import { histogram } from "../../compute/scale";
import type { Coded } from "../../data/concepts";
import type { Exploration } from "../../state/exploration";
import { distanceText } from "../../words/text";

const BINS = 72;
const HEIGHT = 30;
const STOPS = Array.from({ length: 17 }, (_, i) => i / 16);
const MOST_SWATCHES = 16;

/** What the grid's colors mean. */
export function Legend({ exploration }: { exploration: Exploration }) {
  const concept = exploration.colored.value;
  return (
    <div class="cw-legend" data-role="legend">
      {concept ? <ConceptLegend concept={concept} /> : <DistanceLegend exploration={exploration} />}
    </div>
  );
}

function DistanceLegend({ exploration }: { exploration: Exploration }) {
  const shown = exploration.preview.value ?? exploration.settled.value?.ranked;
  const bars = useComputed(() => {
    const ranked = exploration.preview.value ?? exploration.settled.value?.ranked;
    return ranked ? barsPath(histogram(ranked.distances, ranked.scale, ranked.from, BINS)) : "";
  });
  const picture = exploration.settled.value;
  if (!shown || !picture) return null;
  const { scale } = shown;
  const across = (distance: number) =>
    scale.max > scale.min ? (100 * (distance - scale.min)) / (scale.max - scale.min) : 0;
  const selected = picture.selected;
  const last = nearest(shown.order, shown.from, exploration.k.value).at(-1);
  const reach = last === undefined ? null : (shown.distances[last] as number);
  const pointed = exploration.pointed.value;
  const marker =
    pointed === null || pointed === selected ? null : (picture.ranked.distances[pointed] as number);
  const from = exploration.labels.value?.at(shown.from) ?? `example ${shown.from}`;
  const gradient = STOPS.map((share) => {
    const at = across(scale.low + share * (scale.high - scale.low));
    return `${distanceColor(share)} ${at.toFixed(1)}%`;
  });
  return (
    <>
      <div class="cw-histogram">
        <svg viewBox={`0 0 ${BINS} ${HEIGHT}`} preserveAspectRatio="none" role="img">
          <title>{`how many examples lie at each distance from ${from}`}</title>
          <path d={bars.value} />
        </svg>
        {reach === null ? null : (
          <span
            class="cw-reach"
            style={{ left: `${across(reach)}%` }}
            title={`neighbor ${exploration.k.value} lies at ${distanceText(reach)}`}
          />
        )}
        {marker === null ? null : (
          <span class="cw-marker" style={{ left: `${across(marker)}%` }} data-role="marker" />
        )}
      </div>
      <div class="cw-ramp" style={{ background: `linear-gradient(to right, ${gradient})` }} />
      <div class="cw-scale">
        <span>{distanceText(scale.min)}</span>
        <span class="cw-from">distance from {from}</span>
        <span>{distanceText(scale.max)}</span>
      </div>
    </>
  );
}

/** Bars as one path; heights go with the root of the counts, so that few examples are still seen. */
function barsPath(counts: Uint32Array): string {
  const top = Math.sqrt(Math.max(1, ...counts));
  return Array.from(counts, (count, i) => {
    const height = (HEIGHT * Math.sqrt(count)) / top;
    return count === 0 ? "" : `M${i} ${HEIGHT}v${-height.toFixed(2)}h.86v${height.toFixed(2)}z`;
  }).join("");
}

function ConceptLegend({ concept }: { concept: Coded }) {
  const { name, values } = concept;
  const colors = conceptColors(values);
  if (values.length <= MOST_SWATCHES) {
    return (
      <div class="cw-swatches">
        <em>{name}</em>
        {values.map((value, i) => (
          <span key={i}>
            <i style={{ background: colors[i] ?? "" }} />
            {value}
          </span>
        ))}
      </div>
    );
  }
  return (
    <>
      <div class="cw-ramp" style={{ background: `linear-gradient(to right, ${colors})` }} />
      <div class="cw-scale">
        <span>{values[0]}</span>
        <span class="cw-from">{name}</span>
        <span>{values.at(-1)}</span>
      </div>
    </>
  );
}
