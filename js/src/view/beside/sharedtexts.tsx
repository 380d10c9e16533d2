import { useSignal } from "@preact/signals";
import { leftKey } from "../../data/left";
import type { SharedPattern } from "../../data/texts";
import type { Exploration } from "../../state/exploration";
import { chanceText, percentText, visibleToken } from "../../words/text";
import { whereText } from "../../words/texts";
import { More } from "../parts/more";
import { Term } from "../parts/term";

/** So many lines there is room for, and beside concepts. */
const LINES = 6;
const FEW = 4;

/** What the neighbors' texts share, found in the texts, as bars, the strongest first. */
export function SharedTextBars({ exploration }: { exploration: Exploration }) {
  const { texts, contents, settled, k } = exploration;
  const all = useSignal(false);
  if (!contents.value?.hasTexts) return null;
  if (texts.problem.value !== "") return <p class="cw-aside">{texts.problem.value}</p>;
  const found = texts.found.value;
  const picture = settled.value;
  if (!found || !picture) return null;
  const { patterns } = found;
  const stale =
    leftKey(found) !== leftKey(picture) || found.row !== picture.selected || found.k !== k.value;
  const room = contents.value.concepts.length > 0 ? FEW : LINES;
  const first = patterns.length > room ? room - 1 : room;
  const more = patterns.length - first;
  return (
    <section class="cw-shared" aria-label="what their texts share" data-stale={stale || undefined}>
      <h4>
        <Term name="shared texts">in their texts</Term>
        <small>
          <Term name="neighbors | others" />
        </small>
      </h4>
      {patterns.length === 0 ? <p class="cw-aside">Nothing beyond chance.</p> : null}
      <ul data-role="shared-texts" data-selected={found.row}>
        {(all.value ? patterns : patterns.slice(0, first)).map((pattern) => (
          <Bar
            key={`${pattern.where} ${pattern.text}`}
            pattern={pattern}
            onMark={(marked) => exploration.markPattern(marked ? pattern : null)}
          />
        ))}
      </ul>
      <More all={all} count={more} />
    </section>
  );
}

interface BarProps {
  readonly pattern: SharedPattern;
  readonly onMark: (marked: boolean) => void;
}

function Bar({ pattern, onMark }: BarProps) {
  const { text, where, share, base, p } = pattern;
  const style = { "--cw-share": `${100 * share}%`, "--cw-base": `${100 * base}%` };
  const shares = `${percentText(share)} of the neighbors have it, and ${percentText(base)} of all others.`;
  const chance = `By chance so often or more: ${chanceText(p)}, corrected for all patterns that were looked for.`;
  return (
    <li>
      <button
        type="button"
        class="cw-bar"
        style={style}
        aria-label={`${text} ${whereText(where)}: ${shares} ${chance}`}
        data-tip={`“${text}” ${whereText(where)}: ${shares}\n${chance}`}
        onPointerEnter={() => onMark(true)}
        onPointerLeave={() => onMark(false)}
        onFocus={() => onMark(true)}
        onBlur={() => onMark(false)}
      >
        <span class="cw-pattern">{visibleToken(text)}</span>
        <i>{where}</i>
        <b>{`${percentText(share)} | ${percentText(base)}`}</b>
      </button>
    </li>
  );
}
