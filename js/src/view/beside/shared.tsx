import { useSignal } from "@preact/signals";
import type { Shared, SharedGroup } from "../../compute/neighbors";
import type { Exploration } from "../../state/exploration";
import { describeConcept } from "../../words/concept";
import { chanceText, percentText } from "../../words/text";
import { More } from "../parts/more";
import { Term } from "../parts/term";

/** So many lines there is room for: the strongest are shown, and in the last one how many more there are. */
const LINES = 6;

/** What the neighbors share, as bars, the strongest first. */
export function SharedBars({ exploration }: { exploration: Exploration }) {
  const { knowledge } = exploration;
  const found = knowledge.shared.value;
  if (knowledge.problem.value !== "") {
    return <p class="cw-aside">{knowledge.problem.value}</p>;
  }
  if (!found) return null;
  return (
    <Bars
      exploration={exploration}
      groups={found.groups}
      selected={found.selected}
      of="neighbors"
      onMark={(row) => knowledge.mark(row)}
    />
  );
}

interface BarsProps {
  readonly exploration: Exploration;
  readonly groups: readonly SharedGroup[];
  /** The example whose neighbors they are. */
  readonly selected?: number;
  /** Whose shares they are. */
  readonly of: "neighbors" | "chosen";
  readonly onMark: (row: Shared | null) => void;
}

/** What some examples share, as bars. */
export function Bars({ exploration, groups: found, selected, of, onMark }: BarsProps) {
  const { knowledge, contents } = exploration;
  const open = useSignal<ReadonlySet<string>>(new Set());
  const all = useSignal(false);
  if (contents.value?.concepts.length === 0) return null;
  const atlas = knowledge.atlas.value;
  const colors = new Map(atlas?.hues.map((hue, i) => [atlas.concepts[i] ?? "", hue.color]));
  const toggle = (name: string) => {
    const now = new Set(open.value);
    if (now.has(name)) now.delete(name);
    else now.add(name);
    open.value = now;
  };
  const bar = (row: Shared, group: SharedGroup) => {
    const head = row === group.head;
    const { name } = row.partition;
    const opened = open.value.has(group.head.partition.name);
    return (
      <Bar
        key={name}
        row={row}
        color={colors.get(name)}
        nested={!head}
        count={head ? group.nested.length : 0}
        opened={opened}
        of={of}
        said={describeConcept(contents.value?.descriptions, name)}
        onToggle={() => toggle(name)}
        onMark={(marked) => onMark(marked ? row : null)}
      />
    );
  };
  const first = found.length > LINES ? LINES - 1 : LINES;
  const groups = all.value ? found : found.slice(0, first);
  const more = found.length - first;
  return (
    <section class="cw-shared" aria-label="what they share">
      <h4>
        <Term name="shared">what they share</Term>
        <small>
          <Term name={`${of} | others`} />
        </small>
      </h4>
      {found.length === 0 ? <p class="cw-aside">Nothing that a concept says.</p> : null}
      <ul data-role={of === "chosen" ? "shared-by-chosen" : "shared"} data-selected={selected}>
        {groups.map((group) => [
          bar(group.head, group),
          ...(open.value.has(group.head.partition.name)
            ? group.nested.map((row) => bar(row, group))
            : []),
        ])}
      </ul>
      <More all={all} count={more} />
    </section>
  );
}

interface BarProps {
  readonly row: Shared;
  readonly color: string | undefined;
  readonly nested: boolean;
  /** How many are folded under it. */
  readonly count: number;
  readonly opened: boolean;
  readonly of: "neighbors" | "chosen";
  /** What the concept says, or "". */
  readonly said: string;
  readonly onToggle: () => void;
  readonly onMark: (marked: boolean) => void;
}

function Bar({ row, color, nested, count, opened, of, said, onToggle, onMark }: BarProps) {
  const { partition, code, share, base, p } = row;
  const text = `${partition.name} = ${partition.values[code]}`;
  const numbers = `${percentText(share)} | ${percentText(base)}`;
  const chance = `By chance so often or more: ${chanceText(p)}, corrected for how many concepts there are.`;
  const style = {
    "--cw-share": `${100 * share}%`,
    "--cw-base": `${100 * base}%`,
    ...(color === undefined ? {} : { "--cw-hue": color }),
  };
  return (
    <li data-nested={nested || undefined}>
      {count > 0 ? (
        <button
          type="button"
          class="cw-fold"
          aria-expanded={opened}
          aria-label={`${count} finer ${count === 1 ? "concept" : "concepts"}`}
          data-tip={`${opened ? "Hide" : "Show"} ${count} finer ${count === 1 ? "concept that says" : "concepts that say"} the same.`}
          onClick={onToggle}
        >
          {opened ? "▾" : "▸"}
        </button>
      ) : null}
      <button
        type="button"
        class="cw-bar"
        data-concept={partition.name}
        style={style}
        aria-label={`${text} ${numbers}: ${percentText(share)} of the ${of}, ${percentText(base)} of all others. ${chance}`}
        data-tip={[
          `${text}: ${percentText(share)} of the ${of} have it, and ${percentText(base)} of all others.`,
          ...(said === "" ? [] : [said]),
          chance,
        ].join("\n")}
        onPointerEnter={() => onMark(true)}
        onPointerLeave={() => onMark(false)}
        onFocus={() => onMark(true)}
        onBlur={() => onMark(false)}
        onClick={count > 0 ? onToggle : undefined}
      >
        <span>{partition.name}</span> <i>= {partition.values[code]}</i> <b>{numbers}</b>
      </button>
    </li>
  );
}
