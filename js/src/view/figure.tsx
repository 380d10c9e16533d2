import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Snapshot } from "../host/snapshot";
import type { Exploration } from "../state/exploration";
import { Beside } from "./beside/beside";
import { Grid } from "./grid/grid";
import { GridMenus } from "./grid/menus";
import { Header } from "./header/header";
import { StageMap } from "./map/stagemap";
import { Hint } from "./parts/hint";
import { Footer, Notices, Spoken } from "./parts/status";
import { type Tip, Tooltip } from "./parts/tooltip";
import { Still } from "./still";
import { Tour } from "./tour";

interface Props {
  readonly exploration: Exploration;
  readonly root: HTMLElement;
  /** Whether no kernel has answered in good time. */
  readonly silent: ReadonlySignal<boolean>;
  /** What is said then. */
  readonly silence: string;
  readonly snapshot: Snapshot | null;
}

interface Touring {
  /** Whether the tour is shown. */
  readonly touring: Signal<boolean>;
}

/** The whole figure. Its height is its own from the first paint on. */
export function Figure(props: Props) {
  const touring = useSignal(false);
  const { root } = props;
  useEffect(() => {
    const ask = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
      const there = root.querySelector("[data-role=tour]");
      if (event.key !== "?" || typing || !there || touring.value) return;
      touring.value = true;
      event.preventDefault();
      event.stopPropagation();
    };
    root.addEventListener("keydown", ask);
    return () => root.removeEventListener("keydown", ask);
  }, [root, touring]);
  return (
    <>
      <div class="cw-body" inert={touring.value}>
        <Parts {...props} touring={touring} />
      </div>
      <Hint root={root} />
      {touring.value ? <Tour exploration={props.exploration} root={root} open={touring} /> : null}
    </>
  );
}

function Parts({ exploration, root, silent, silence, snapshot, touring }: Props & Touring) {
  const tip = useSignal<Tip | null>(null);
  const contents = exploration.contents.value;
  if (!contents) {
    return (
      <>
        <Notices exploration={exploration} />
        {snapshot ? (
          <Still snapshot={snapshot} silent={silent.value} />
        ) : (
          <p class="cw-waiting" data-role={silent.value ? "snapshot" : "waiting"}>
            {silent.value ? silence : "reading the examples…"}
          </p>
        )}
      </>
    );
  }
  return (
    <>
      <Header exploration={exploration} touring={touring} />
      <Notices exploration={exploration} />
      <div class="cw-main" style={{ "--cw-columns": contents.positions.length }}>
        <StageMap exploration={exploration} tip={tip} root={root} />
        <section class="cw-panel cw-grid" aria-label="grid">
          <GridMenus exploration={exploration} />
          <Grid exploration={exploration} tip={tip} root={root} />
        </section>
        <Beside exploration={exploration} />
      </div>
      <Footer exploration={exploration} />
      <Spoken exploration={exploration} />
      <Tooltip tip={tip} />
    </>
  );
}
