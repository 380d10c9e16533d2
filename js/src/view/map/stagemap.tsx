import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { parseStage, type Stage, stageText } from "../../data/stage";
import type { Exploration } from "../../state/exploration";
import { useSpan, visible } from "../parts/span";
import { Term } from "../parts/term";
import type { Tip } from "../parts/tooltip";
import { ExplainedChoice, ExplainedLegend, useStageLooks } from "./explained";
import { StageHeads } from "./heads";
import { type Cursor, moveOf, reveal, revealColumn } from "./keys";
import { MapLineView } from "./line";
import { LINE, type MapLine, mapLayout, mapLines, NAME, NAME_WIDTH } from "./lines";
import { strongestFinder, strongestFirst } from "./strongest";
import { mapTip } from "./tip";
import { TraceArcs } from "./tracearcs";
import { TraceSummary, TraceTabs } from "./tracetabs";

const LEAST_COLUMN = 13;
const MOST_COLUMN = 26;

interface Props {
  readonly exploration: Exploration;
  readonly tip: Signal<Tip | null>;
  readonly root: HTMLElement;
}

/** All stages of the model: a row for each layer, kind and head, a column for each position. */
export function StageMap({ exploration, tip, root }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const span = useSpan(scroller);
  const cellId = useCallback(
    (line: number, at: number) => `${root.id}-stage-${line}-${at}`,
    [root],
  );
  const { traces, folding } = exploration;
  const all = exploration.knowledge.allKinds;
  const look = useStageLooks(exploration);
  const cursor = useSignal<Cursor | null>(null);
  const contents = exploration.contents.value;
  const current = useComputed(() => parseStage(exploration.stage.value));

  const kinds = useComputed(() => {
    // A trace goes through these kinds alone, and the fewer lines there are, the more of it is in sight.
    const some = new Set(traces.kinds.value ?? exploration.contents.value?.defaultKinds);
    if (current.value) some.add(current.value.kind);
    return all.value ? "" : [...some].join("\n");
  });
  const positions = contents?.positions ?? NO_POSITIONS;
  const order = useMemo(() => strongestFirst(positions, look), [positions, look]);
  const strongest = useMemo(() => strongestFinder(positions, look), [positions, look]);
  const deep = folding.deep.value;
  const open = folding.open.value;
  const lines = useMemo<MapLine[]>(() => {
    const some = kinds.value === "" ? null : new Set(kinds.value.split("\n"));
    const isOpen = (layer: number) => open.has(layer);
    return mapLines(contents?.rows ?? [], some, isOpen, deep ? order : undefined);
  }, [contents?.rows, kinds.value, open, deep, order]);
  const stageLine = useMemo(
    () => lines.findIndex((line) => isAt(line, current.value)),
    [lines, current.value],
  );
  const stageColumn = positions.indexOf(current.value?.position ?? "");
  const fitting = Math.floor((span.width - NAME_WIDTH) / positions.length);
  const column = Math.min(MOST_COLUMN, Math.max(LEAST_COLUMN, fitting));

  useEffect(() => {
    if (scroller.current && stageLine >= 0) reveal(scroller.current, stageLine);
  }, [stageLine, span.height]);
  useLayoutEffect(() => {
    if (!scroller.current || stageColumn < 0 || span.width === 0) return;
    // The last token too, where both fit.
    revealColumn(scroller.current, positions.length - 1, column);
    revealColumn(scroller.current, stageColumn, column);
  }, [stageColumn, positions.length, column, span.width]);

  const layout = useMemo(() => mapLayout(lines, positions, column), [lines, positions, column]);
  if (!contents) return null;
  const [first, end] = visible(span.top, span.height, LINE, lines.length);
  const [left, right] = visible(span.left, span.width - NAME_WIDTH, column, positions.length);

  const stageAt = (line: number, at: number): string | null => {
    const found = lines[line];
    if (found?.type === "layer") return strongest(found.rows, at)?.stage ?? null;
    const position = positions[at];
    return found && position !== undefined && found.row.widths[at]
      ? stageText({ ...found.row, position })
      : null;
  };
  const choose = (stage: string | null, started: number) => {
    const there = stage !== null && (exploration.saved.value?.stages.has(stage) ?? true);
    if (there) exploration.go({ stage }, started);
  };
  /** Brings up for the keyboard what the pointer finds over a cell. */
  const tell = (line: number, at: number) => {
    const cell = root.ownerDocument.getElementById(cellId(line, at));
    const about = cell && mapTip(exploration, cell.dataset);
    const [box, figure] = [cell?.getBoundingClientRect(), root.getBoundingClientRect()];
    const place = box && { x: box.right - figure.left, y: box.bottom - figure.top };
    tip.value = about && place ? { ...place, ...about } : null;
  };
  /** From the keyboard, which stays at the layer's name. */
  const fold = (layer: number, line: number) => {
    folding.toggle(layer);
    cursor.value = { line, column: NAME };
    tip.value = null;
  };
  const press = (event: KeyboardEvent) => {
    const at = cursor.value ?? {
      line: Math.max(0, stageLine),
      column: Math.max(0, stageColumn),
    };
    const line = lines[at.line];
    const entered = event.key === "Enter" || event.key === " ";
    const heading = line?.type === "layer" && (line.open || at.column === NAME);
    const move = moveOf(event.key, at, lines, positions.length);
    if (move && "to" in move) {
      cursor.value = move.to;
      if (scroller.current) {
        reveal(scroller.current, move.to.line);
        if (move.to.column > NAME) revealColumn(scroller.current, move.to.column, column);
      }
      requestAnimationFrame(() => tell(move.to.line, move.to.column));
    } else if (move) fold(move.toggle, at.line);
    else if (entered && heading) fold(line.layer, at.line);
    else if (entered) choose(stageAt(at.line, at.column), event.timeStamp);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const hover = (event: PointerEvent) => {
    const { dataset } = event.target as HTMLElement | SVGElement;
    const about = mapTip(exploration, dataset);
    const box = root.getBoundingClientRect();
    const map = scroller.current?.getBoundingClientRect();
    const x = about?.beside && map ? map.right : event.clientX;
    tip.value = about && { x: x - box.left, y: event.clientY - box.top, ...about };
    const stage = dataset.node ?? dataset.stage ?? "";
    traces.pointed.value = traces.nodes.value.has(stage) ? stage : null;
  };
  const leave = () => {
    tip.value = null;
    traces.pointed.value = null;
  };
  const click = (event: MouseEvent) => {
    const { node, stage, edge } = (event.target as HTMLElement | SVGElement).dataset;
    const under = edge === undefined ? undefined : cellUnder(event);
    choose(node ?? stage ?? under ?? null, event.timeStamp);
  };
  const active = cursor.value;
  const size = {
    width: `${NAME_WIDTH + positions.length * column}px`,
    height: `${lines.length * LINE}px`,
  };

  return (
    <section
      class="cw-panel cw-map"
      aria-label="stage map"
      data-trace={traces.drawn.value || undefined}
    >
      <h3>
        <Term name="stage" />
        <ExplainedChoice exploration={exploration} />
        <label
          class="cw-check"
          data-tip="Show every kind of activation that the model has, not only those worth showing first."
        >
          <input
            type="checkbox"
            data-role="all-kinds"
            checked={all.value}
            onChange={() => exploration.showAllKinds(!all.value)}
          />
          all kinds
        </label>
      </h3>
      <TraceTabs exploration={exploration} />
      <div
        class="cw-scroll"
        ref={scroller}
        data-role="stage-map"
        role="treegrid"
        aria-label="stages: rows are layers, kinds and heads, columns are positions"
        aria-rowcount={lines.length + 1}
        aria-colcount={positions.length + 1}
        aria-activedescendant={active ? cellId(active.line, active.column) : undefined}
        tabIndex={0}
        onKeyDown={press}
        onBlur={() => {
          cursor.value = null;
          tip.value = null;
        }}
        onPointerOver={hover}
        onPointerLeave={leave}
        onClick={click}
      >
        <StageHeads
          exploration={exploration}
          left={left}
          right={right}
          column={column}
          names={NAME_WIDTH}
        />
        <div class="cw-lines" style={size} role="presentation">
          {lines.slice(first, end).map((line, i) => (
            <MapLineView
              key={first + i}
              exploration={exploration}
              line={line}
              index={first + i}
              left={left}
              right={right}
              column={column}
              look={look}
              strongest={strongest}
              active={active?.line === first + i ? active.column : null}
              cellId={cellId}
            />
          ))}
          <TraceArcs exploration={exploration} layout={layout} root={root} />
        </div>
      </div>
      <MapFoot exploration={exploration} />
    </section>
  );
}

const NO_POSITIONS: readonly string[] = [];

/** What the map's colors or the trace over it say. Its place is kept, so that nothing moves. */
function MapFoot({ exploration }: { exploration: Exploration }) {
  const { traces, swapTests, contents } = exploration;
  if (!contents.value?.hasModel && contents.value?.concepts.length === 0) return null;
  // The colors step back while a trace is drawn; signs of swap tests keep their legend.
  const legend = traces.answer.value === null || swapTests.mapped.value;
  return (
    <div class="cw-foot">
      <TraceSummary exploration={exploration} />
      {legend ? <ExplainedLegend exploration={exploration} /> : null}
    </div>
  );
}

function isAt(line: MapLine, stage: Stage | null): boolean {
  if (!stage) return false;
  if (line.type === "layer") return !line.open && line.layer === stage.layer;
  const { kind, layer, head } = line.row;
  return kind === stage.kind && layer === stage.layer && head === stage.head;
}

/** The stage of the cell that an edge of the trace lies over. */
function cellUnder({ clientX, clientY }: MouseEvent): string | undefined {
  const under = document
    .elementsFromPoint(clientX, clientY)
    .find((element) => (element as HTMLElement | SVGElement).dataset.edge === undefined);
  return (under as HTMLElement | undefined)?.dataset.stage;
}
