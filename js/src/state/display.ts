import { type Signal, signal } from "@preact/signals";
import type { Band, ScaleName } from "../compute/axis";
import type { Near, Palette } from "../compute/color";
import { WHOLE, type Zoom } from "../compute/zoom";

/** How the grid is drawn: what no distance depends on. */
export class Display {
  readonly scale: Signal<ScaleName> = signal("linear");
  readonly palette: Signal<Palette> = signal("viridis");
  /** Whether near examples are bright or dark. */
  readonly near: Signal<Near> = signal("bright");
  /** The distances that are looked at; null for all. */
  readonly band: Signal<Band | null> = signal(null);
  /** Whether a drag on the map chooses examples. */
  readonly lassoing = signal(false);
  readonly zoom: Signal<Zoom> = signal(WHOLE);
}
