import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Axis } from "../../compute/blocks";
import { type Edge, labelsAlong, nameAlong } from "../../compute/edges";
import type { Layout } from "../../data/layout";
import type { Exploration } from "../../state/exploration";
import { percentText } from "../../words/text";
import { ConceptName, Term } from "../parts/term";
import type { Edges } from "./canvas";

interface Props {
  readonly exploration: Exploration;
  readonly edges: ReadonlySignal<Edges | null>;
  /** The cells. */
  readonly children: ComponentChildren;
  /** What stands under the cells, as wide as they are. */
  readonly below: ComponentChildren;
}

/** Least and most characters of a label that there is room for. */
const LEAST = 2;
const MOST = 8;
/** Room for a name alone, in pixels. */
const BARE = 20;
/** The same where no labels are known yet. */
const UNKNOWN = 4;

/** Room for an axis's name and its labels, in pixels. */
function gutterOf(characters: number): number {
  return 18 + 7 * Math.min(MOST, Math.max(LEAST, characters));
}

/**
 * Room left of the cells, in pixels. It is there from the first picture on, and what arrives by
 * itself never widens it: a longer label is cut then. Another stage or other axes may.
 */
function useGutter({ contents, picture, arrangeBy, plain }: Exploration): number {
  const kept = useRef({ room: 0, asked: "" });
  const now = picture.value;
  if (contents.value?.concepts.length === 0) return now?.layout ? BARE : 0;
  if (!now) return gutterOf(LEAST);
  const asked = JSON.stringify([now.stage, arrangeBy.value, plain.value]);
  if (kept.current.asked !== asked) {
    const labels = now.arrangement.blocks.rows?.labels;
    const first = kept.current.room === 0 ? UNKNOWN : 0;
    const characters = labels ? Math.max(...labels.map((label) => label.length)) : first;
    kept.current = { room: Math.max(kept.current.room, gutterOf(characters)), asked };
  }
  return kept.current.room;
}

/** What the rows and columns of blocks stand for, written at the edges of the grid. */
export function AxesFrame({ exploration, edges, children, below }: Props) {
  const blocks = exploration.picture.value?.arrangement.blocks;
  const seen = edges.value;
  const rows = blocks?.rows ?? null;
  const columns = blocks?.columns ?? null;
  const layout = exploration.picture.value?.layout ?? null;
  const gutter = useGutter(exploration);
  return (
    <div
      class="cw-edges"
      style={{
        gridTemplateColumns: `${gutter}px minmax(0, 1fr)`,
        gridTemplateRows: `${gutter > 0 ? 28 : 0}px minmax(0, 1fr) auto`,
        gap: gutter > 0 ? "3px" : "0",
        "--cw-gutter": `${gutter}px`,
      }}
    >
      <span class="cw-corner" />
      {layout ? (
        <>
          <MapAxis layout={layout} axis={0} />
          <MapAxis layout={layout} axis={1} />
        </>
      ) : (
        <>
          <AxisLabels
            exploration={exploration}
            axis={columns}
            class="cw-top"
            property="left"
            edge={seen?.across ?? null}
          />
          <AxisLabels
            exploration={exploration}
            axis={rows}
            class="cw-side"
            property="top"
            edge={seen?.down ?? null}
          />
        </>
      )}
      {children}
      <div class="cw-below" style={seen ? { maxWidth: `${seen.width}px` } : {}}>
        {below}
      </div>
    </div>
  );
}

/** What an axis of the map is, and how much of the distances lies along it. */
function MapAxis({ layout, axis }: { layout: Layout; axis: 0 | 1 }) {
  const { shares } = layout;
  const name = axis === 0 ? "cw-top" : "cw-side";
  const at = { [axis === 0 ? "left" : "top"]: "50%" };
  if (!shares) {
    return (
      <div class={name} data-role={`axis-${axis}`}>
        {axis === 0 ? <em style={at}>UMAP: only what is close together tells something</em> : null}
      </div>
    );
  }
  return (
    <div class={name} data-role={`axis-${axis}`}>
      <em style={at}>
        <Term name="component">{`component ${axis + 1}`}</Term>
        {`: ${percentText(shares[axis])}${axis === 0 ? " of the variance" : ""}`}
      </em>
    </div>
  );
}

interface AxisProps {
  readonly exploration: Exploration;
  readonly axis: Axis | null;
  readonly class: string;
  readonly property: "left" | "top";
  readonly edge: Edge | null;
}

function AxisLabels({ exploration, axis, class: name, property, edge }: AxisProps) {
  if (!axis) return <div class={name} />;
  const along = edge ?? { pitch: 0, from: 0, extent: 0 };
  const widest = Math.max(...axis.labels.map((label) => label.length));
  const room = property === "left" ? 6.5 * widest + 4 : 12;
  return (
    <div class={name}>
      <em style={{ [property]: `${nameAlong(axis.labels, along)}px` }}>
        <ConceptName exploration={exploration} name={axis.name} />
      </em>
      {labelsAlong(axis.labels, along, room).map(({ text, at }) => (
        <span key={text} data-tip={text} style={{ [property]: `${at}px` }}>
          {text}
        </span>
      ))}
    </div>
  );
}
