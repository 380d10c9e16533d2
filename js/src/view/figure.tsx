import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { Snapshot } from "../host/snapshot";
import type { Exploration } from "../state/exploration";
import { Beside } from "./beside/beside";
import { Grid } from "./grid/grid";
import { GridMenus } from "./grid/menus";
import { Header } from "./header/header";
import { StageMap } from "./map/stagemap";
import { Footer, Notices, Spoken } from "./parts/status";
import { type Tip, Tooltip } from "./parts/tooltip";
import { Still } from "./still";

interface Props {
  readonly exploration: Exploration;
  readonly root: HTMLElement;
  /** Whether no kernel has answered in good time. */
  readonly silent: ReadonlySignal<boolean>;
  /** What is said then. */
  readonly silence: string;
  readonly snapshot: Snapshot | null;
}

/** The whole figure. Its height is its own from the first paint on. */
export function Figure(props: Props) {
  return (
    <div class="cw-body">
      <Parts {...props} />
    </div>
  );
}

function Parts({ exploration, root, silent, silence, snapshot }: Props) {
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
      <Header exploration={exploration} />
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
