import { useComputed } from "@preact/signals";
import {
  countShown,
  type DistanceAxis,
  distanceAt,
  distanceAxis,
  histogram,
  shownMask,
} from "../../compute/axis";
import { conceptColors, distanceColor, type Palette, valueColor } from "../../compute/color";
import { nearest } from "../../compute/distances";
import type { Stop } from "../../compute/drawing";
import type { Ranked } from "../../compute/ranked";
import type { Coded } from "../../data/concepts";
import type { Display } from "../../state/display";
import type { Exploration } from "../../state/exploration";
import { metricName } from "../../words/metric";
import { countText, distanceText, valueText, visibleText } from "../../words/text";
import { ConceptName, Term } from "../parts/term";
import { Brush } from "./brush";

export const BINS = 72;
const HEIGHT = 30;
const STOPS = Array.from({ length: 17 }, (_, i) => i / 16);
export const MOST_SWATCHES = 16;

/** What the grid's colors mean. */
export function Legend({ exploration }: { exploration: Exploration }) {
  const concept = exploration.colored.value;
  return (
    <div class="cw-legend" data-role="legend">
      {concept ? (
        <ConceptLegend
          exploration={exploration}
          concept={concept}
          palette={exploration.display.palette.value}
        />
      ) : (
        <DistanceLegend exploration={exploration} />
      )}
    </div>
  );
}

function DistanceLegend({ exploration }: { exploration: Exploration }) {
  const { display } = exploration;
  const ranked = useComputed(
    () => exploration.preview.value ?? exploration.settled.value?.ranked ?? null,
  );
  const axis = useComputed(() => ranked.value && distanceAxis(ranked.value, display.scale.value));
  const bars = useComputed(() =>
    ranked.value && axis.value
      ? barsPath(histogram(ranked.value, axis.value, ranked.value.from, BINS))
      : "",
  );
  const gradient = useComputed(() =>
    ranked.value && axis.value
      ? stopsOf(ranked.value, axis.value, display)
          .map(([share, color]) => `${color} ${(100 * share).toFixed(1)}%`)
          .join()
      : "",
  );
  const shown = ranked.value;
  const picture = exploration.settled.value;
  if (!shown || !picture || !axis.value) return null;
  const { scale } = shown;
  const { position } = axis.value;
  const across = (distance: number) => 100 * position(distance);
  const selected = picture.selected;
  const last = nearest(shown.order, shown.from, exploration.k.value).at(-1);
  const reach = last === undefined ? null : (shown.distances[last] as number);
  const pointed = exploration.pointed.value;
  const marker =
    pointed === null || pointed === selected ? null : (picture.ranked.distances[pointed] as number);
  const label = exploration.labels.value?.at(shown.from) ?? `example ${shown.from}`;
  const from = visibleText(label);
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
            data-tip={`The nearest ${countText(exploration.k.value)} lie up to ${distanceText(reach)} away.`}
          />
        )}
        {marker === null ? null : (
          <span class="cw-marker" style={{ left: `${across(marker)}%` }} data-role="marker" />
        )}
        <Brush exploration={exploration} axis={axis.value} />
      </div>
      <div class="cw-ramp" style={{ background: `linear-gradient(to right, ${gradient.value})` }} />
      <div class="cw-scale">
        <span>{distanceText(scale.min)}</span>
        <span class="cw-from" data-role="brushed">
          {brushedText(exploration, shown) ?? (
            <>
              <Term name="distance" /> ({metricName(picture.metric)}) from {from}
            </>
          )}
        </span>
        <span>{distanceText(scale.max)}</span>
      </div>
    </>
  );
}

/** The colors along the scale of a concept of many values. */
export function rampStops(palette: Palette): Stop[] {
  return STOPS.map((share) => [share, valueColor(share, palette)]);
}

/** The colors of distances along the axis. */
export function stopsOf(ranked: Ranked, axis: DistanceAxis, display: Display): Stop[] {
  const { scale, palette, near } = display;
  return STOPS.map((share) => [
    axis.position(distanceAt(ranked, scale.value, share)),
    distanceColor(share, palette.value, near.value),
  ]);
}

/** How many examples lie in the range that is marked, or null where none is. */
export function brushedText({ display }: Exploration, { distances }: Ranked): string | null {
  const band = display.band.value;
  const mask = band && shownMask(distances, band, null, new Uint8Array(distances.length));
  if (!band || !mask) return null;
  const count = `${countText(countShown(mask))} examples`;
  if (band.high === Number.POSITIVE_INFINITY) return `${count} from ${distanceText(band.low)} on`;
  if (band.low === 0) return `${count} up to ${distanceText(band.high)}`;
  return `${count} from ${distanceText(band.low)} to ${distanceText(band.high)}`;
}

/** Bars as one path; heights go with the root of the counts, so that few examples are still seen. */
function barsPath(counts: Uint32Array): string {
  const top = Math.sqrt(Math.max(1, ...counts));
  return Array.from(counts, (count, i) => {
    const height = (HEIGHT * Math.sqrt(count)) / top;
    return count === 0 ? "" : `M${i} ${HEIGHT}v${-height.toFixed(2)}h.86v${height.toFixed(2)}z`;
  }).join("");
}

interface ConceptLegendProps {
  readonly exploration: Exploration;
  readonly concept: Coded;
  readonly palette: Palette;
}

function ConceptLegend({ exploration, concept, palette }: ConceptLegendProps) {
  const { name, values } = concept;
  if (values.length <= MOST_SWATCHES) {
    const colors = conceptColors(values, palette);
    return (
      <div class="cw-swatches">
        <em>
          <ConceptName exploration={exploration} name={name} />
        </em>
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
      <div
        class="cw-ramp"
        style={{
          background: `linear-gradient(to right, ${rampStops(palette).map(([, color]) => color)})`,
        }}
      />
      <div class="cw-scale">
        <span>{valueText(values[0])}</span>
        <span class="cw-from">
          <ConceptName exploration={exploration} name={name} />
        </span>
        <span>{valueText(values.at(-1))}</span>
      </div>
    </>
  );
}
