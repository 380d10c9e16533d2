import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { parseStage, type Stage, stageText } from "../../data/stage";
import type { Exploration } from "../../state/exploration";
import { useSpan, visible } from "../parts/span";
import { Term } from "../parts/term";
import type { Tip } from "../parts/tooltip";
import { ExplainedChoice, ExplainedLegend, useStageLooks } from "./explained";
import { StageHeads } from "./heads";
import { MapLineView } from "./line";
import { LINE, layerIsOpen, type MapLine, mapLayout, mapLines, NAME_WIDTH } from "./lines";
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
  const { traces } = exploration;
  const all = exploration.knowledge.allKinds;
  const look = useStageLooks(exploration);
  const toggled = useSignal<ReadonlyMap<number, boolean>>(new Map());
  const cursor = useSignal<{ line: number; column: number } | null>(null);
  const contents = exploration.contents.value;
  const current = useComputed(() => parseStage(exploration.stage.value));

  const lines = useComputed<MapLine[]>(() => {
    const now = exploration.contents.value;
    if (!now) return [];
    // A trace goes through these kinds alone, and the fewer lines there are, the more of it is in sight.
    const kinds = new Set(traces.kinds.value ?? now.defaultKinds);
    if (current.value) kinds.add(current.value.kind);
    const layers = new Set(now.rows.map((row) => row.layer ?? -1)).size;
    return mapLines(now.rows, all.value ? null : kinds, (layer) =>
      layerIsOpen(layer, layers, toggled.value, current.value?.layer ?? null),
    );
  });
  const stageLine = useComputed(() => lines.value.findIndex((line) => isAt(line, current.value)));

  useEffect(() => {
    const element = scroller.current;
    if (element && stageLine.value >= 0) reveal(element, stageLine.value);
  }, [stageLine.value, span.height]);

  if (!contents) return null;
  const { positions } = contents;
  const fitting = Math.floor((span.width - NAME_WIDTH) / positions.length);
  const column = Math.min(MOST_COLUMN, Math.max(LEAST_COLUMN, fitting));
  const layout = useMemo(
    () => mapLayout(lines.value, positions, column),
    [lines.value, positions, column],
  );
  const [first, end] = visible(span.top, span.height, LINE, lines.value.length);
  const [left, right] = visible(span.left, span.width - NAME_WIDTH, column, positions.length);

  const stageAt = (line: number, at: number): string | null => {
    const found = lines.value[line];
    const position = positions[at];
    return found?.type === "stages" && position !== undefined && found.row.widths[at]
      ? stageText({ ...found.row, position })
      : null;
  };
  const toggle = (layer: number, open: boolean) => {
    toggled.value = new Map(toggled.value).set(layer, !open);
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
  const press = (event: KeyboardEvent) => {
    const at = cursor.value ?? {
      line: Math.max(0, stageLine.value),
      column: Math.max(0, positions.indexOf(current.value?.position ?? "")),
    };
    const steps: Record<string, readonly [number, number]> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const step = steps[event.key];
    if (step) {
      const line = Math.min(lines.value.length - 1, Math.max(0, at.line + step[0]));
      const to = Math.min(positions.length - 1, Math.max(0, at.column + step[1]));
      cursor.value = { line, column: to };
      if (scroller.current) reveal(scroller.current, line, to * column, column);
      requestAnimationFrame(() => tell(line, to));
    } else if (event.key === "Enter" || event.key === " ") {
      const line = lines.value[at.line];
      if (line?.type === "layer") toggle(line.layer, line.open);
      else choose(stageAt(at.line, at.column), event.timeStamp);
    } else return;
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
    height: `${lines.value.length * LINE}px`,
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
        role="grid"
        aria-label="stages: rows are layers, kinds and heads, columns are positions"
        aria-rowcount={lines.value.length}
        aria-colcount={positions.length}
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
          columns={[left, right]}
          column={column}
          names={NAME_WIDTH}
        />
        <div class="cw-lines" style={size} role="presentation">
          {lines.value.slice(first, end).map((line, i) => (
            <MapLineView
              key={first + i}
              exploration={exploration}
              line={line}
              index={first + i}
              columns={[left, right]}
              column={column}
              look={look}
              cursor={active}
              cellId={cellId}
              onToggle={toggle}
            />
          ))}
          <TraceArcs exploration={exploration} layout={layout} root={root} />
        </div>
      </div>
      <MapFoot exploration={exploration} />
    </section>
  );

  function cellId(line: number, at: number): string {
    return `${root.id}-stage-${line}-${at}`;
  }
}

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
  if (line.type !== "stages" || !stage) return false;
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

/** Scrolls a line, and a column if one is given, into sight under the headings. */
function reveal(scroller: HTMLElement, line: number, left?: number, width = 0): void {
  const top = line * LINE;
  const heads = (scroller.firstElementChild as HTMLElement | null)?.offsetHeight ?? 0;
  const height = scroller.clientHeight - heads;
  if (top < scroller.scrollTop) scroller.scrollTop = top - LINE;
  else if (top + LINE > scroller.scrollTop + height) scroller.scrollTop = top + 2 * LINE - height;
  if (left === undefined) return;
  const across = scroller.clientWidth - NAME_WIDTH;
  if (left < scroller.scrollLeft) scroller.scrollLeft = left;
  else if (left + width > scroller.scrollLeft + across) scroller.scrollLeft = left + width - across;
}
