import { stageText } from "../../data/stage";
import type { Exploration } from "../../state/exploration";
import { NOT_SAVED } from "../../words/saved";
import { describeStage } from "../../words/stage";
import { nodeText } from "../../words/trace";
import type { StageLook } from "./explained";
import { LINE, type MapLine, NAME_WIDTH } from "./lines";

interface Props {
  readonly exploration: Exploration;
  readonly line: MapLine;
  readonly index: number;
  /** First and one past the last column in sight. */
  readonly columns: readonly [number, number];
  readonly column: number;
  readonly look: (stage: string) => StageLook;
  /** The keyboard's place. */
  readonly cursor: { readonly line: number; readonly column: number } | null;
  readonly cellId: (line: number, column: number) => string;
  readonly onToggle: (layer: number, open: boolean) => void;
}

/** A line of the stage map: a layer's heading, or a kind and head with a cell for each position. */
export function MapLineView(props: Props) {
  const { exploration, line, index, columns, column, look, cursor, cellId, onToggle } = props;
  const style = { top: `${index * LINE}px` };
  if (line.type === "layer") {
    return (
      <div class="cw-layer" style={style} role="row" aria-rowindex={index + 1}>
        <span role="gridcell" id={cellId(index, cursor?.column ?? 0)}>
          <button
            type="button"
            tabIndex={-1}
            data-active={cursor?.line === index || undefined}
            aria-expanded={line.open}
            onClick={() => onToggle(line.layer, line.open)}
          >
            {line.open ? "▾" : "▸"} layer {line.layer}
          </button>
        </span>
      </div>
    );
  }
  const { row } = line;
  const positions = exploration.contents.value?.positions ?? [];
  const [left, right] = columns;
  const { nodes, shown } = exploration.traces;
  const onTrace = nodes.value;
  const trace = shown.value?.trace;
  return (
    <div class="cw-line" style={style} role="row" aria-rowindex={index + 1}>
      <span class="cw-name" role="rowheader" style={{ width: `${NAME_WIDTH}px` }}>
        <span class={line.firstOfKind ? "" : "cw-again"}>{row.kind}</span>
        {row.head === null ? null : <i>{`H${row.head}`}</i>}
      </span>
      {positions.slice(left, right).map((position, j) => {
        const at = left + j;
        if (!row.widths[at]) return null;
        const stage = { ...row, position };
        const text = stageText(stage);
        const { color, same, text: said, sign, sets } = look(text);
        const node = onTrace.get(text);
        const saved = exploration.saved.value?.stages.has(text) ?? true;
        const traced = node && trace ? `on the trace: ${nodeText(node, trace)}` : "";
        return (
          <span
            key={at}
            id={cellId(index, at)}
            class={same ? "cw-stage cw-same" : "cw-stage"}
            role="gridcell"
            aria-colindex={at + 1}
            aria-label={[`${text}: ${describeStage(stage)}`, said, traced, saved ? "" : NOT_SAVED]
              .filter((part) => part !== "")
              .join("; ")}
            aria-selected={text === exploration.stage.value}
            data-stage={text}
            aria-disabled={saved ? undefined : true}
            data-verdict={sign}
            data-sets={sets ?? undefined}
            data-active={(cursor?.line === index && cursor.column === at) || undefined}
            style={{
              left: `${NAME_WIDTH + at * column}px`,
              width: `${column - 1}px`,
              ...(color === null ? {} : { background: color }),
            }}
          />
        );
      })}
    </div>
  );
}
