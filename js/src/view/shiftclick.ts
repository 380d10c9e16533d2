/** Keeps a shift-click from selecting text, or in JupyterLab cells, up to here. */
export function withoutSelecting(event: MouseEvent): void {
  if (!event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  (event.currentTarget as HTMLElement).focus();
}
