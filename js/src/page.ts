import { LocalTraits } from "./host/localtraits";
import type { Traits } from "./host/traits";
import { DAMAGED, Page } from "./source/page/pages";
import { Recorded } from "./source/page/recorded";
import { stand } from "./stand";

type Shown = Omit<Traits, "snapshot" | "budget">;

/** Bytes of the largest stage matrix: the page holds what it was saved with. */
const BUDGET = 2 ** 28;

/** Shows the exploration that the document holds, or why it cannot. */
async function open(): Promise<void> {
  const main = document.querySelector("main");
  const notice = document.getElementById("cut");
  if (!main || !notice) throw new Error(DAMAGED);
  try {
    const page = await Page.read<Shown>(document);
    const { traits, replies } = page.contents;
    const recorded = new Recorded(replies, (place, signal) => page.array(place, signal));
    notice.remove();
    stand(main, new LocalTraits({ ...traits, snapshot: {}, budget: BUDGET }), () => recorded);
  } catch (error) {
    notice.textContent = error instanceof Error ? error.message : DAMAGED;
    notice.setAttribute("role", "alert");
  }
}

void open();
