import type { Exploration } from "../../state/exploration";
import { metricTip } from "../../words/metric";

/** A stage's name, with chips for its metric and for each concept that is set aside there. */
export function StageName({ exploration, stage }: { exploration: Exploration; stage: string }) {
  const without = exploration.without.value;
  const metric = exploration.metric.value;
  return (
    <>
      <b>{stage}</b>
      {metric === "l2" ? null : (
        <button
          type="button"
          class="cw-chip"
          data-role="metric-chip"
          aria-label="back to L2"
          data-tip={`${metricTip(metric)} Press to go back to L2.`}
          onClick={(event) => {
            // The chip goes: keys must stay in the figure.
            if (event.detail === 0) tabOf(event.currentTarget)?.focus();
            exploration.go({ metric: "l2" }, event.timeStamp);
          }}
        >
          {metric} ×
        </button>
      )}
      {without.map((name) => (
        <button
          key={name}
          type="button"
          class="cw-chip"
          data-without={name}
          aria-label={`put ${name} back`}
          data-tip={`The distances are of what is left without ${name}. Press to put it back.`}
          onClick={(event) => {
            // The chip goes: keys must stay in the figure.
            if (event.detail === 0) tabOf(event.currentTarget)?.focus();
            exploration.setAside([name], false, event.timeStamp);
          }}
        >
          without {name} ×
        </button>
      ))}
    </>
  );
}

/** The tab of the panel that an element is in. */
function tabOf(element: HTMLElement): HTMLElement | null {
  return element.closest(".cw-near")?.querySelector('[role="tab"][aria-selected="true"]') ?? null;
}
