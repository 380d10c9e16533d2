/** Keeps a shift-click from selecting all cells of a notebook up to this one; text is kept by CSS. */
export function withoutSelecting(event: MouseEvent): void {
  if (event.shiftKey) event.stopPropagation();
}
