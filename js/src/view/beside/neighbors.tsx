import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { nearest } from "../../compute/distances";
import type { Excerpt } from "../../compute/excerpts";
import { type Piece, sharedPieces } from "../../compute/pieces";
import { countAt, sliderOf } from "../../compute/scale";
import { partsOf, partsVary } from "../../data/example";
import { isKeyOf } from "../../data/left";
import { excerptsOf } from "../../state/excerpts";
import type { Exploration } from "../../state/exploration";
import { leftName } from "../../words/stage";
import { distanceText, visibleText } from "../../words/text";
import { SeenText } from "../parts/seen";
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
/** Width of a character of the texts, and of what stands beside them, in pixels. */
const CHARACTER = 7.3;
const BESIDE = 62;
/** Characters of the selected example's text in the heading. */
const HEADING = 60;

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
  const excerpts = useMemo(() => excerptsOf(exploration), [exploration]).value;
  const room = Math.max(12, Math.floor((span.width - BESIDE) / CHARACTER));

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
  const labels = exploration.labels.value;
  const label = picture ? labels?.at(picture.selected) : undefined;
  return (
    <>
      <h3>
        <span
          class="cw-near-what"
          data-tip={picture ? `near ${visibleText(label ?? "")} at ${leftName(picture)}` : ""}
        >
          {picture ? (
            <>
              near{" "}
              <b>
                {excerpts ? (
                  <Excerpted pieces={excerpts(picture.selected, HEADING)} />
                ) : (
                  <SeenText text={label ?? ""} />
                )}
              </b>{" "}
              at <StageName exploration={exploration} stage={picture.stage} />
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
                  data-tip={excerpts ? visibleText(labels?.at(example) ?? "") : undefined}
                  onMouseDown={withoutSelecting}
                  onPointerDown={() => (pressed.current = example)}
                  onClick={({ detail, shiftKey, timeStamp }) => {
                    const chosen = detail > 0 ? (pressed.current ?? example) : example;
                    if (shiftKey) void exploration.swaps.swap(chosen, picture, timeStamp);
                    else exploration.go({ selected: chosen }, timeStamp);
                  }}
                >
                  <span class={excerpts ? "cw-label cw-text" : "cw-label"}>
                    {excerpts ? (
                      <Excerpted pieces={excerpts(example, room)} />
                    ) : (
                      pieces.value(example, picture.selected).map((piece, p, all) => {
                        const [start, end] = [p === 0, p === all.length - 1];
                        const text = <SeenText text={piece.text} start={start} end={end} />;
                        return piece.shared ? <b key={p}>{text}</b> : text;
                      })
                    )}
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

/** A text in pieces: what differs is marked, and the word at the position is underlined. */
function Excerpted({ pieces }: { pieces: readonly Excerpt[] }) {
  return (
    <>
      {pieces.map(({ text, gap, differs, here }, p) => (
        <span
          key={p}
          class={gap ? "cw-seen" : undefined}
          data-differs={differs || undefined}
          data-here={here || undefined}
        >
          <SeenText text={text} start={p === 0} end={p === pieces.length - 1} />
        </span>
      ))}
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
