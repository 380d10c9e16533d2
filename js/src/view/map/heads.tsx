import { partsOf } from "../../data/example";
import type { Exploration } from "../../state/exploration";
import { visibleToken } from "../../words/text";
import { SeenText } from "../parts/seen";

interface Props {
  readonly exploration: Exploration;
  /** First and one past the last column in sight. */
  readonly left: number;
  readonly right: number;
  readonly column: number;
  /** Width of the rows' names. */
  readonly names: number;
}

/** Heads of the stage map's columns: the selected example's tokens, and the positions' names. */
export function StageHeads({ exploration, left, right, column, names }: Props) {
  const contents = exploration.contents.value;
  const tokens = exploration.tokens.value;
  const positions = contents?.positions ?? [];
  const parts = contents && tokens ? partsOf(contents, tokens, exploration.selected.value) : [];
  const texts = positions.map((_, i) => visibleToken(parts[i]?.text ?? ""));
  const here = exploration.stage.value.slice(exploration.stage.value.indexOf("@") + 1);
  const longest = Math.max(...positions.map((p) => p.length), ...texts.map((t) => t.length));
  const upright = longest * 6.2 > column + 2;
  const onTrace = exploration.traces.positions.value;
  return (
    <div
      class={upright ? "cw-heads cw-upright" : "cw-heads"}
      style={{ width: `${names + positions.length * column}px` }}
      role="row"
      aria-rowindex={1}
    >
      <span class="cw-corner" role="gridcell" style={{ width: `${names}px` }}>
        <FoldAll exploration={exploration} />
      </span>
      {positions.slice(left, right).map((position, j) => (
        <span
          key={position}
          class="cw-head"
          role="columnheader"
          aria-colindex={left + j + 2}
          data-here={position === here || undefined}
          data-off={onTrace?.has(position) === false || undefined}
          data-tip={`${texts[left + j] ?? ""} at position ${position}`}
          style={{ left: `${names + (left + j) * column}px`, width: `${column - 1}px` }}
        >
          <b>
            <SeenText text={parts[left + j]?.text ?? ""} token />
          </b>
          <small>{position}</small>
        </span>
      ))}
    </div>
  );
}

/** Unfolds all layers of a deep model, or folds them. */
function FoldAll({ exploration }: { exploration: Exploration }) {
  const { folding } = exploration;
  if (!folding.deep.value) return null;
  const folded = folding.open.value.size === 0;
  return (
    <button
      type="button"
      class="cw-fold-all"
      data-role="fold-all"
      data-tip={
        folded
          ? "Show every layer stage by stage. A layer's name unfolds it alone."
          : "Show each layer as one row: the most explained of its stages at each position."
      }
      onClick={() => folding.all(folded)}
    >
      {folded ? "unfold all" : "fold all"}
    </button>
  );
}
