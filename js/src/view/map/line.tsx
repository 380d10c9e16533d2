import { parseStage, stageText } from "../../data/stage";
import type { Exploration } from "../../state/exploration";
import { NOT_SAVED } from "../../words/saved";
import { describeStage, foldedText } from "../../words/stage";
import { nodeText } from "../../words/trace";
import type { StageLook } from "./explained";
import { LINE, type MapLine, NAME, NAME_WIDTH } from "./lines";
import type { FindStrongest } from "./strongest";

/** What all lines of a map have in common; the same object as long as nothing of it changes. */
export interface LineProps {
  readonly exploration: Exploration;
  readonly column: number;
  readonly look: (stage: string) => StageLook;
  readonly strongest: FindStrongest;
  readonly cellId: (line: number, column: number) => string;
}

interface Props extends LineProps {
  readonly line: MapLine;
  readonly index: number;
  /** First and one past the last column in sight. */
  readonly left: number;
  readonly right: number;
  /** Where in the line the keyboard is, or null. */
  readonly active: number | null;
}

/** A line of the stage map: a layer, or a kind and head, with a cell for each position. */
export function MapLineView(props: Props) {
  const { line } = props;
  return line.type === "layer" ? (
    <LayerView {...props} line={line} />
  ) : (
    <StagesView {...props} line={line} />
  );
}

type Of<Type extends MapLine["type"]> = Omit<Props, "line"> & {
  readonly line: Extract<MapLine, { type: Type }>;
};

/** A layer: its name, and where it is folded the most explained of its stages at each position. */
function LayerView({ line, index, active, ...props }: Of<"layer">) {
  const { exploration, left, right, strongest, cellId } = props;
  const { layer, open, rows } = line;
  const current = parseStage(exploration.stage.value);
  const positions = exploration.contents.value?.positions ?? [];
  return (
    <div
      class="cw-layer"
      style={{ top: `${index * LINE}px` }}
      role="row"
      aria-rowindex={index + 2}
      aria-level={1}
      aria-expanded={open}
    >
      <span
        class="cw-layer-name"
        role="rowheader"
        id={cellId(index, NAME)}
        style={open ? {} : { width: `${NAME_WIDTH}px` }}
      >
        <button
          type="button"
          tabIndex={-1}
          data-active={active === NAME || undefined}
          aria-expanded={open}
          onClick={() => exploration.folding.toggle(layer)}
        >
          {open ? "▾" : "▸"} layer {layer}
        </button>
      </span>
      {positions.slice(left, right).map((position, j) => {
        const at = left + j;
        const found = strongest(rows, at);
        const here = current?.layer === layer && current.position === position;
        return found ? (
          <Cell
            {...props}
            key={at}
            id={cellId(index, at)}
            at={at}
            stage={found.stage}
            look={found.look}
            of={found.of}
            here={here}
            active={active === at}
          />
        ) : null;
      })}
    </div>
  );
}

function StagesView({ line, index, active, ...props }: Of<"stages">) {
  const { exploration, left, right, look, cellId } = props;
  const { row, firstOfKind } = line;
  const positions = exploration.contents.value?.positions ?? [];
  return (
    <div
      class="cw-line"
      style={{ top: `${index * LINE}px` }}
      role="row"
      aria-rowindex={index + 2}
      aria-level={row.layer === null ? 1 : 2}
    >
      <span
        class="cw-name"
        role="rowheader"
        id={cellId(index, NAME)}
        data-active={active === NAME || undefined}
        style={{ width: `${NAME_WIDTH}px` }}
      >
        <span class={firstOfKind ? "" : "cw-again"}>{row.kind}</span>
        {row.head === null ? null : <i>{`H${row.head}`}</i>}
      </span>
      {positions.slice(left, right).map((position, j) => {
        const at = left + j;
        if (!row.widths[at]) return null;
        const stage = stageText({ ...row, position });
        return (
          <Cell
            {...props}
            key={at}
            id={cellId(index, at)}
            at={at}
            stage={stage}
            look={look(stage)}
            of={1}
            here={stage === exploration.stage.value}
            active={active === at}
          />
        );
      })}
    </div>
  );
}

interface CellProps {
  readonly exploration: Exploration;
  readonly id: string;
  readonly at: number;
  readonly column: number;
  readonly stage: string;
  readonly look: StageLook;
  /** Of how many stages this one is the most explained: those of a folded layer. */
  readonly of: number;
  readonly here: boolean;
  readonly active: boolean;
}

function Cell({ exploration, id, at, column, stage, look, of, here, active }: CellProps) {
  const { color, same, text, sign, sets } = look;
  const { nodes, shown } = exploration.traces;
  const node = nodes.value.get(stage);
  const trace = shown.value?.trace;
  const parsed = parseStage(stage);
  const saved = exploration.saved.value?.stages.has(stage) ?? true;
  const traced = node && trace ? `on the trace: ${nodeText(node, trace)}` : "";
  const meant = parsed ? `${stage}: ${describeStage(parsed)}` : stage;
  const folded = of > 1 ? foldedText(of) : "";
  return (
    <span
      id={id}
      class={same ? "cw-stage cw-same" : "cw-stage"}
      role="gridcell"
      aria-colindex={at + 2}
      aria-label={[meant, folded, text, traced, saved ? "" : NOT_SAVED]
        .filter((part) => part !== "")
        .join("; ")}
      aria-selected={here}
      data-stage={stage}
      data-of={of > 1 ? of : undefined}
      aria-disabled={saved ? undefined : true}
      data-verdict={sign}
      data-sets={sets ?? undefined}
      data-active={active || undefined}
      style={{
        left: `${NAME_WIDTH + at * column}px`,
        width: `${column - 1}px`,
        ...(color === null ? {} : { background: color }),
      }}
    />
  );
}
