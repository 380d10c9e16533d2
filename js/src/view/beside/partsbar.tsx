import type { StageParts } from "../../data/parts";
import { percentText } from "../../words/text";

/** Share of the bar that a character of a name takes up, where the bar is narrowest. */
const ROOM_FOR_CHARACTER = 0.04;

interface Props {
  readonly parts: StageParts;
  readonly without: readonly string[];
  /** Sets a part's concepts aside, or puts them back; without it the bar is to look at only. */
  readonly onPress?: (concepts: readonly string[], aside: boolean, started: number) => void;
}

/** What a stage is made of, as one stacked bar. */
export function PartsBar({ parts, without, onPress }: Props) {
  const { unexplained } = parts;
  if (unexplained === null) return null;
  const thin = onPress === undefined;
  return (
    <div class={thin ? "cw-parts cw-thin" : "cw-parts"}>
      {parts.parts.map(({ name, concepts, adds, color }) => {
        const aside = concepts.every((concept) => without.includes(concept));
        // Without both concepts their interplay is what is left.
        const gone = aside && concepts.length === 1;
        const style = { width: `${100 * Math.max(0, adds)}%`, "--cw-hue": color };
        if (thin) return <i key={name} style={style} data-gone={gone || undefined} />;
        const said = `${name} explains ${percentText(adds)} of the distances here`;
        const it = concepts.length === 1 ? "it" : concepts.join(" and ");
        return (
          <button
            key={name}
            type="button"
            data-part={name}
            data-gone={gone || undefined}
            aria-pressed={aside}
            style={style}
            data-tip={`${said}. Press to ${aside ? `put ${it} back` : `set ${it} aside`}.`}
            aria-label={`${said}; press to set ${it} aside`}
            onClick={({ timeStamp }) => onPress(concepts, !aside, timeStamp)}
          >
            {adds > ROOM_FOR_CHARACTER * name.length ? name : ""}
          </button>
        );
      })}
      <i
        class="cw-rest"
        style={{ width: `${100 * Math.max(0, unexplained)}%` }}
        data-tip={`None of the concepts explains the other ${percentText(unexplained)}.`}
      />
    </div>
  );
}
