import type { WidgetModel } from "./host/traits";
import { Channel } from "./source/kernel/channel";
import { stand } from "./stand";

interface RenderProps {
  readonly model: WidgetModel;
  readonly el: HTMLElement;
}

/** Shows the widget in `el`; the returned function takes away all that came with it. */
function render({ model, el }: RenderProps): () => void {
  return stand(el, model, (heard, signal) => new Channel(model, heard, signal));
}

export default { render };
