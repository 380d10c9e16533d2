import { partsOf } from "../../data/example";
import type { Exploration } from "../../state/exploration";
import { visibleToken } from "../../words/text";

interface Props {
  readonly exploration: Exploration;
  /** First and one past the last column in sight. */
  readonly columns: readonly [number, number];
  readonly column: number;
  /** Width of the rows' names. */
  readonly names: number;
}

/** Heads of the stage map's columns: the selected example's tokens, and the positions' names. */
export function StageHeads({ exploration, columns, column, names }: Props) {
  const contents = exploration.contents.value;
  const tokens = exploration.tokens.value;
  const positions = contents?.positions ?? [];
  const parts = contents && tokens ? partsOf(contents, tokens, exploration.selected.value) : [];
  const texts = positions.map((_, i) => visibleToken(parts[i]?.text ?? ""));
  const here = exploration.stage.value.slice(exploration.stage.value.indexOf("@") + 1);
  const longest = Math.max(...positions.map((p) => p.length), ...texts.map((t) => t.length));
  const upright = longest * 6.2 > column + 2;
  const onTrace = exploration.traces.positions.value;
  const [left, right] = columns;
  return (
    <div
      class={upright ? "cw-heads cw-upright" : "cw-heads"}
      style={{ width: `${names + positions.length * column}px` }}
      aria-hidden="true"
    >
      <span class="cw-corner" style={{ width: `${names}px` }} />
      {positions.slice(left, right).map((position, j) => (
        <span
          key={position}
          class="cw-head"
          data-here={position === here || undefined}
          data-off={onTrace?.has(position) === false || undefined}
          data-tip={`${texts[left + j] ?? ""} at position ${position}`}
          style={{ left: `${names + (left + j) * column}px`, width: `${column - 1}px` }}
        >
          <b>{texts[left + j] ?? ""}</b>
          <small>{position}</small>
        </span>
      ))}
    </div>
  );
}
