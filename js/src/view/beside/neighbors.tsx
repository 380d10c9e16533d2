import { useComputed } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { nearest } from "../../compute/distances";
import { type Piece, sharedPieces } from "../../compute/pieces";
import { countAt, sliderOf } from "../../compute/scale";
import { partsOf, partsVary } from "../../data/example";
import { isKeyOf } from "../../data/left";
import type { Exploration } from "../../state/exploration";
import { leftName } from "../../words/stage";
import { distanceText } from "../../words/text";
import { withoutSelecting } from "../parts/shiftclick";
import { useSpan, visible } from "../parts/span";
import { Term } from "../parts/term";
import { FilterNote } from "./filternote";
import { LensBlock } from "./lens";
import { PartsBar } from "./partsbar";
import { SharedBars } from "./shared";
import { SharedTextBars } from "./sharedtexts";
import { StageName } from "./stagename";

const LINE = 20;

/** The examples nearest to the selected one, nearest first. */
export function Neighbors({ exploration }: { exploration: Exploration }) {
  const scroller = useRef<HTMLDivElement>(null);
  // What the press began on: the list may change before it ends.
  const pressed = useRef<number | null>(null);
  const span = useSpan(scroller);
  const picture = exploration.settled.value;
  const contents = exploration.contents.value;
  const found = useComputed(() => {
    const now = exploration.settled.value;
    return now ? nearest(now.ranked.order, now.selected, exploration.k.value) : new Uint32Array(0);
  });
  const pieces = useComputed(() => piecesOf(exploration));

  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [picture?.selected, picture && leftName(picture)]);

  const neighbors = found.value;
  const mask = exploration.filtering.mask.value;
  const [first, end] = visible(span.top, span.height, LINE, neighbors.length);
  const most = Math.max(1, (contents?.n ?? 2) - 1);
  const setK = (value: number) => {
    if (Number.isInteger(value)) exploration.k.value = Math.min(most, Math.max(1, value));
  };
  const donor = exploration.swaps.asked.value?.donor;
  const named = (contents?.concepts.length ?? 0) > 0;
  const known = exploration.madeOf.parts.value;
  const made = known && picture && isKeyOf(known.key, picture.stage, picture.metric) ? known : null;
  const label = picture ? exploration.labels.value?.at(picture.selected) : undefined;
  return (
    <>
      <h3>
        <span
          class="cw-near-what"
          data-tip={picture ? `near ${label} at ${leftName(picture)}` : ""}
        >
          {picture ? (
            <>
              near <b>{label}</b> at <StageName exploration={exploration} stage={picture.stage} />
            </>
          ) : null}
        </span>
      </h3>
      {named ? (
        <div class="cw-parts-room" aria-hidden="true">
          {made ? <PartsBar parts={made} without={exploration.without.value} /> : null}
        </div>
      ) : null}
      <div class="cw-k">
        <Term name="nearest" />
        <input
          type="range"
          data-role="k-slider"
          aria-label="how many neighbors"
          min={0}
          max={1}
          step="any"
          value={sliderOf(exploration.k.value, most)}
          onInput={(event) => setK(countAt(event.currentTarget.valueAsNumber, most))}
        />
        <input
          type="number"
          data-role="k"
          aria-label="how many neighbors"
          min={1}
          max={most}
          value={exploration.k.value}
          onChange={(event) => setK(event.currentTarget.valueAsNumber)}
          // In JupyterLab, Enter alone changes nothing.
          onKeyDown={(event) => {
            if (event.key === "Enter") setK(event.currentTarget.valueAsNumber);
          }}
        />
        <FilterNote exploration={exploration} neighbors={neighbors} most={most} />
      </div>
      <div class="cw-facts" data-less={!contents?.hasModel || undefined}>
        <SharedBars exploration={exploration} />
        <SharedTextBars exploration={exploration} />
        <LensBlock exploration={exploration} />
      </div>
      <div class="cw-scroll" ref={scroller} data-role="neighbors" tabIndex={-1}>
        <ol style={{ height: `${neighbors.length * LINE}px` }}>
          {picture &&
            Array.from(neighbors.subarray(first, end), (example, i) => (
              <li
                class="cw-neighbor"
                aria-posinset={first + i + 1}
                aria-setsize={neighbors.length}
                key={first + i}
                data-out={mask?.[example] === 0 || undefined}
                style={{ top: `${(first + i) * LINE}px` }}
              >
                <button
                  type="button"
                  data-example={example}
                  data-donor={example === donor || undefined}
                  onMouseDown={withoutSelecting}
                  onPointerDown={() => (pressed.current = example)}
                  onClick={({ detail, shiftKey, timeStamp }) => {
                    const chosen = detail > 0 ? (pressed.current ?? example) : example;
                    if (shiftKey) void exploration.swaps.swap(chosen, picture, timeStamp);
                    else exploration.go({ selected: chosen }, timeStamp);
                  }}
                >
                  <span class="cw-label">
                    {pieces
                      .value(example, picture.selected)
                      .map((piece, p) => (piece.shared ? <b key={p}>{piece.text}</b> : piece.text))}
                  </span>
                  <span class="cw-distance">
                    {distanceText(picture.ranked.distances[example] as number)}
                  </span>
                </button>
              </li>
            ))}
        </ol>
      </div>
    </>
  );
}

/** How a neighbor's label is cut into what it shares with the selected example and what not. */
function piecesOf(exploration: Exploration): (example: number, selected: number) => Piece[] {
  const labels = exploration.labels.value;
  const tokens = exploration.tokens.value;
  const contents = exploration.contents.value;
  if (!labels) return (example) => [{ text: `example ${example}`, shared: false }];
  if (!tokens || !contents) return (example) => [{ text: labels.at(example), shared: false }];
  const varies = partsVary(contents, tokens);
  return (example, selected) => {
    const parts = partsOf(contents, tokens, example);
    return sharedPieces(
      labels.at(example),
      labels.at(selected),
      parts.map(({ token }) => token),
      partsOf(contents, tokens, selected).map(({ token }) => token),
      parts.map(({ text }) => text),
      varies,
    );
  };
}
