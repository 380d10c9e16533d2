import { parseStage, type Stage } from "../data/stage";
import type { Trace, TraceEdge, TraceNode } from "../data/trace";

/** Where the lines and columns of the stage map are; lengths in pixels. */
export interface MapLayout {
  /** Index of the line that shows a kind, layer and head, by `lineKey`. */
  readonly lines: ReadonlyMap<string, number>;
  /** Index of the line that heads a layer. */
  readonly headings: ReadonlyMap<number, number>;
  /** Index of the column of a position. */
  readonly columns: ReadonlyMap<string, number>;
  readonly lineHeight: number;
  readonly columnWidth: number;
  /** Where the first column begins. */
  readonly left: number;
}

/** A stage of the trace, on its cell. */
export interface Dot {
  readonly node: TraceNode;
  readonly x: number;
  readonly y: number;
  readonly r: number;
  /** Whether it is the answer itself, which the size says nothing of. */
  readonly answer: boolean;
}

/** An edge of the trace, between two cells. */
export interface Arc {
  readonly edge: TraceEdge;
  /** Of an SVG path. */
  readonly d: string;
  /** Of the stroke. */
  readonly width: number;
}

export interface TraceDrawing {
  readonly dots: readonly Dot[];
  readonly arcs: readonly Arc[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const LEAST_RADIUS = 2;
const MOST_RADIUS = 6.5;
/** Where even the stage that matters most costs less than this, in nats, none is drawn large. */
const LEAST_FULL_LOSS = 0.5;
const LEAST_ATTENTION_WIDTH = 0.8;
const MOST_ATTENTION_WIDTH = 2.8;
const INSIDE_WIDTH = 1;
/** How far an edge within a column swings out for each line that it passes, in pixels. */
const SWING = 1.6;
/** Where a cubic curve with both of its handles `1` out is `SWUNG` out at most. */
const SWUNG = 0.75;

export function lineKey({ kind, layer, head }: Omit<Stage, "position">): string {
  return `${layer}/${head}/${kind}`;
}

/**
 * A trace as circles and curves on the stage map.
 * @param pruned whether what is not kept is there too
 */
export function drawTrace(trace: Trace, layout: MapLayout, pruned: boolean): TraceDrawing {
  const most = Math.max(
    LEAST_FULL_LOSS,
    ...trace.nodes.filter(({ kept }) => kept).map(({ loss }) => loss ?? 0),
  );
  // What is behind one heading is one dot, for the stage that matters most there.
  const dots = new Map<string, Dot>();
  for (const node of trace.nodes) {
    const at = node.kept || pruned ? placeOf(node.stage, layout) : null;
    if (!at) continue;
    const key = `${at.x} ${at.y}`;
    if (outweighs(dots.get(key)?.node, node)) continue;
    const answer = node.loss === null;
    dots.set(key, { node, ...at, answer, r: answer ? MOST_RADIUS : radius(node.loss, most) });
  }
  const arcs = new Map<string, Arc>();
  for (const edge of trace.edges) {
    if (!edge.kept && !pruned) continue;
    const from = placeOf(edge.source, layout);
    const to = placeOf(edge.target, layout);
    if (!from || !to || (from.x === to.x && from.y === to.y)) continue;
    const d =
      edge.kind === "attention" ? reaching(from, to, layout) : inside(edge, from, to, layout);
    if (outweighs(arcs.get(d)?.edge, edge)) continue;
    arcs.set(d, { edge, d, width: widthOf(edge) });
  }
  return { dots: [...dots.values()], arcs: [...arcs.values()] };
}

type Weighed = Pick<TraceNode, "kept" | "loss">;

/** Whether what is drawn at a place stays there: what is kept does, and then what matters most. */
function outweighs(there: Weighed | undefined, other: Weighed): boolean {
  if (!there) return false;
  if (there.kept !== other.kept) return there.kept;
  return (there.loss ?? Infinity) >= (other.loss ?? Infinity);
}

/** The middle of a stage's cell, or of its layer's heading where its line is not shown. */
function placeOf(address: string, layout: MapLayout): Point | null {
  const stage = parseStage(address);
  if (!stage) return null;
  const line = layout.lines.get(lineKey(stage)) ?? layout.headings.get(stage.layer ?? -1);
  const column = layout.columns.get(stage.position);
  if (line === undefined || column === undefined) return null;
  return {
    x: layout.left + (column + 0.5) * layout.columnWidth - 0.5,
    y: (line + 0.5) * layout.lineHeight,
  };
}

function radius(loss: number, most: number): number {
  const share = Math.sqrt(Math.max(0, Math.min(1, loss / most)));
  return LEAST_RADIUS + (MOST_RADIUS - LEAST_RADIUS) * share;
}

function widthOf({ kind, kept, attention }: TraceEdge): number {
  if (kind !== "attention" || !kept) return INSIDE_WIDTH;
  const more = (MOST_ATTENTION_WIDTH - LEAST_ATTENTION_WIDTH) * (attention ?? 0);
  return rounded(LEAST_ATTENTION_WIDTH + more);
}

/** From what a head looks at down its column, and then along the head's line; at its own position, beside it. */
function reaching(from: Point, to: Point, layout: MapLayout): string {
  if (from.x === to.x) {
    const lines = Math.abs(to.y - from.y) / layout.lineHeight;
    return swinging(from, to, Math.min(0.6 * layout.columnWidth, 3 + SWING * lines));
  }
  const down = from.y + 0.6 * (to.y - from.y);
  const along = to.x - 0.6 * (to.x - from.x);
  return `M${at(from)}C${at({ x: from.x, y: down })} ${at({ x: along, y: to.y })} ${at(to)}`;
}

/** Down a column: the residual stream to the left, what joins it to the right of the cells passed. */
function inside(edge: TraceEdge, from: Point, to: Point, layout: MapLayout): string {
  const passed = Math.abs(to.y - from.y) / layout.lineHeight - 1;
  if (passed < 0.5 || from.x !== to.x) return `M${at(from)}L${at(to)}`;
  const out = Math.min(0.5 * layout.columnWidth, SWING * (passed + 1));
  return swinging(from, to, onStream(edge.source) ? -out : out);
}

function onStream(address: string): boolean {
  const kind = parseStage(address)?.kind ?? "";
  return kind === "embed" || kind.startsWith("resid");
}

function swinging(from: Point, to: Point, out: number): string {
  const x = from.x + out / SWUNG;
  const reach = 0.25 * (to.y - from.y);
  return `M${at(from)}C${at({ x, y: from.y + reach })} ${at({ x, y: to.y - reach })} ${at(to)}`;
}

function at({ x, y }: Point): string {
  return `${rounded(x)} ${rounded(y)}`;
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}
