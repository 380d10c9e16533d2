import { LocalTraits } from "./host/localtraits";
import { SocketTransport } from "./source/socket/socket";
import { type Connect, stand } from "./stand";

/** Of a stage matrix that is brought here: 10,000 examples of 128 dimensions, and some more. */
const BUDGET = 8 * 2 ** 20;

/** Shows what a server serves: see `clusterwidget/publish/server`. */
function show(el: HTMLElement): void {
  const { stage, k } = JSON.parse(el.dataset.traits ?? "{}") as { stage: string; k: number };
  const traits = new LocalTraits({
    selected: 0,
    stage,
    k,
    color_by: "distance",
    arrange_by: [],
    without: [],
    snapshot: {},
    height: 560,
    budget: BUDGET,
  });
  const url = new URL("socket", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const connect: Connect = (heard, signal) => new SocketTransport(url.href, heard, signal);
  stand(el, traits, connect, "Waiting for the server.");
}

const figure = document.getElementById("figure");
if (figure) show(figure);
