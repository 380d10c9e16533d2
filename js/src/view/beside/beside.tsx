import { useId, useRef } from "preact/hooks";
import type { Exploration, Tab } from "../../state/exploration";
import { Neighbors } from "./neighbors";
import { SwapTestPanel } from "./swaptest";

const TABS: readonly Tab[] = ["near", "swap test"];

/** What stands beside the grid: the neighbors, or the swap test of the stage. */
export function Beside({ exploration }: { exploration: Exploration }) {
  const { tab } = exploration;
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const idOf = (name: string) => `${id}-${name.replace(" ", "-")}`;
  const hasModel = exploration.contents.value?.hasModel ?? false;
  const shown = exploration.tabShown.value;
  const press = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    tab.value = shown === "near" ? "swap test" : "near";
    for (const button of list.current?.children ?? []) {
      if (button.id === idOf(tab.value)) (button as HTMLElement).focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section class="cw-panel cw-near" aria-label={shown === "near" ? "neighbors" : shown}>
      {hasModel ? (
        <div class="cw-tabs" role="tablist" ref={list} onKeyDown={press}>
          {TABS.map((name) => (
            <button
              key={name}
              type="button"
              role="tab"
              id={idOf(name)}
              data-role={`tab-${name.replace(" ", "-")}`}
              aria-selected={name === shown}
              aria-controls={idOf("panel")}
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
        {...(hasModel ? { role: "tabpanel", "aria-labelledby": idOf(shown) } : {})}
      >
        {shown === "near" ? (
          <Neighbors exploration={exploration} />
        ) : (
          <SwapTestPanel exploration={exploration} />
        )}
      </div>
    </section>
  );
}
