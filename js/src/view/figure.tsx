import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { Exploration } from "../exploration";
import type { Snapshot } from "../snapshot";
import { Beside } from "./beside";
import { Grid } from "./grid";
import { Header } from "./header";
import { GridMenus } from "./menus";
import { StageMap } from "./stagemap";
import { Footer, Notices, Spoken } from "./status";
import { Still } from "./still";
import { type Tip, Tooltip } from "./tooltip";

interface Props {
  readonly exploration: Exploration;
  readonly root: HTMLElement;
  /** Whether no kernel has answered in good time. */
  readonly silent: ReadonlySignal<boolean>;
  readonly snapshot: Snapshot | null;
}

/** The whole figure. */
export function Figure({ exploration, root, silent, snapshot }: Props) {
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
            {silent.value
              ? "Waiting for the kernel. If none runs, run the cell."
              : "reading the examples…"}
          </p>
        )}
      </>
    );
  }
  return (
    <>
      <Header exploration={exploration} />
      <Notices exploration={exploration} />
      <main
        class="cw-main"
        style={{ "--cw-columns": contents.positions.length }}
        data-tracing={exploration.tracing.drawn.value || undefined}
      >
        <StageMap exploration={exploration} tip={tip} root={root} />
        <section class="cw-panel cw-grid" aria-label="grid">
          <GridMenus exploration={exploration} />
          <Grid exploration={exploration} tip={tip} root={root} />
        </section>
        <Beside exploration={exploration} />
      </main>
      <Footer exploration={exploration} />
      <Spoken exploration={exploration} />
      <Tooltip tip={tip} />
    </>
  );
}
