import { useLayoutEffect, useMemo } from "preact/hooks";
import { type Arc, type Dot, drawTrace, type MapLayout } from "../../compute/arcs";
import type { Trace } from "../../data/trace";
import type { Exploration } from "../../state/exploration";
import { visibleToken } from "../../words/text";

/** The `detail` of a `clusterwidget:traced` event. */
export interface Traced {
  /** From the press or click to the drawn trace. */
  readonly ms: number;
}

/** An answer of more characters does not fit into its circle. */
const MOST_WRITTEN = 1;

interface Props {
  readonly exploration: Exploration;
  readonly layout: MapLayout;
  readonly root: HTMLElement;
}

/** The trace of the answer whose tab is pressed, over the cells of the stage map. */
export function TraceArcs({ exploration, layout, root }: Props) {
  const { traces } = exploration;
  const shown = traces.shown.value;
  const pruned = traces.pruned.value;
  const trace = shown?.trace;
  const drawing = useMemo(
    () => (trace?.possible ? drawTrace(trace, layout, pruned) : null),
    [trace, layout, pruned],
  );

  useLayoutEffect(() => {
    if (!shown) return;
    const detail: Traced = { ms: performance.now() - shown.started };
    root.dispatchEvent(new CustomEvent("clusterwidget:traced", { detail, bubbles: true }));
  }, [shown, root]);

  if (!trace || !drawing) return null;
  const pointed = traces.pointed.value;
  const stale = traces.stale.value;
  const arcs = [...drawing.arcs].sort((a, b) => rank(a) - rank(b));
  const dot = (one: Dot) => {
    const { stage } = one.node;
    const lit = stage === pointed || isBeside(trace, stage, pointed);
    const here = stage === exploration.stage.value;
    return (
      <DotView key={stage} dot={one} text={one.answer ? trace.text : ""} here={here} lit={lit} />
    );
  };
  return (
    <svg
      class="cw-trace"
      data-role="trace"
      data-of={`${trace.answer} of ${trace.row}`}
      data-stale={stale || undefined}
      data-pointed={pointed !== null || undefined}
      aria-hidden="true"
    >
      {drawing.dots.filter(({ node }) => !node.kept).map(dot)}
      {arcs.map((arc) => (
        <ArcView
          key={arc.d}
          arc={arc}
          at={trace.edges.indexOf(arc.edge)}
          lit={isAt(arc, pointed)}
        />
      ))}
      {drawing.dots.filter(({ node }) => node.kept).map(dot)}
    </svg>
  );
}

/** What is faint is drawn first, and what a head looks at last. */
function rank({ edge }: Arc): number {
  return (edge.kept ? 2 : 0) + (edge.kind === "attention" ? 1 : 0);
}

function isAt({ edge }: Arc, pointed: string | null): boolean {
  return edge.source === pointed || edge.target === pointed;
}

function isBeside(trace: Trace, stage: string, pointed: string | null): boolean {
  return (
    pointed !== null &&
    trace.edges.some(
      ({ source, target, kept }) =>
        kept &&
        ((source === stage && target === pointed) || (target === stage && source === pointed)),
    )
  );
}

function ArcView({ arc, at, lit }: { arc: Arc; at: number; lit: boolean }) {
  const { edge, d, width } = arc;
  return (
    <g
      class={edge.kind === "attention" ? "cw-arc cw-looks" : "cw-arc"}
      data-kept={edge.kept || undefined}
      data-lit={lit || undefined}
    >
      <path d={d} style={{ strokeWidth: `${width}px` }} />
      <path class="cw-reach" d={d} data-edge={at} />
    </g>
  );
}

interface DotProps {
  readonly dot: Dot;
  /** What is written into it, where it is the answer. */
  readonly text: string;
  readonly here: boolean;
  readonly lit: boolean;
}

function DotView({ dot, text, here, lit }: DotProps) {
  const { node, x, y, r, answer } = dot;
  return (
    <g
      class={answer ? "cw-dot cw-dot-answer" : "cw-dot"}
      data-kept={node.kept || undefined}
      data-here={here || undefined}
      data-lit={lit || undefined}
    >
      <circle cx={x} cy={y} r={r} data-node={node.stage} />
      {text.length > 0 && text.length <= MOST_WRITTEN ? (
        <text x={x} y={y} dy="0.35em">
          {visibleToken(text)}
        </text>
      ) : null}
    </g>
  );
}
