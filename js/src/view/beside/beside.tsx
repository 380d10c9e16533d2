import { useId, useRef } from "preact/hooks";
import type { Exploration, Tab } from "../../state/exploration";
import { ChosenPanel } from "./chosen";
import { MadeOfPanel } from "./madeof";
import { Neighbors } from "./neighbors";
import { SwapTestPanel } from "./swaptest";

const TIPS: Readonly<Record<Tab, string>> = {
  near: "The examples nearest to the selected one, and what they have in common.",
  "made of": "The concepts that together explain this stage.",
  chosen: "The chosen examples, and what they have in common.",
  "swap test": "Whether examples can stand in for each other at this stage.",
};

/** What stands beside the grid: the neighbors, what the stage is made of, or its swap test. */
export function Beside({ exploration }: { exploration: Exploration }) {
  const { tab } = exploration;
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const idOf = (name: string) => `${id}-${name.replace(" ", "-")}`;
  const tabs = exploration.tabs.value;
  const several = tabs.length > 1;
  const shown = exploration.tabShown.value;
  const press = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const step = event.key === "ArrowRight" ? 1 : tabs.length - 1;
    tab.value = tabs[(tabs.indexOf(shown) + step) % tabs.length] ?? "near";
    for (const button of list.current?.children ?? []) {
      if (button.id === idOf(tab.value)) (button as HTMLElement).focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section class="cw-panel cw-near" aria-label={shown === "near" ? "neighbors" : shown}>
      {several ? (
        <div class="cw-tabs" role="tablist" ref={list} onKeyDown={press}>
          {tabs.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={idOf(name)}
              data-role={`tab-${name.replace(" ", "-")}`}
              aria-selected={name === shown}
              aria-controls={idOf("panel")}
              data-tip={TIPS[name]}
              tabIndex={name === shown ? 0 : -1}
              onClick={() => (tab.value = name)}
            >
              {name}
            </button>
          ))}
        </div>
      ) : null}
      <div
        class="cw-panel cw-beside"
        data-shown={shown}
        id={idOf("panel")}
        {...(several ? { role: "tabpanel", "aria-labelledby": idOf(shown) } : {})}
      >
        {shown === "near" ? (
          <Neighbors exploration={exploration} />
        ) : shown === "made of" ? (
          <MadeOfPanel exploration={exploration} />
        ) : shown === "chosen" ? (
          <ChosenPanel exploration={exploration} />
        ) : (
          <SwapTestPanel exploration={exploration} />
        )}
      </div>
    </section>
  );
}
