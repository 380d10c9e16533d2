const WATCHED = ["class", "theme", "data-jp-theme-light", "data-vscode-theme-kind"];

/** What the host says about its theme, or null if it says nothing. */
function hostIsDark(): boolean | null {
  const { body, documentElement: html } = document;
  const jupyter =
    body.getAttribute("data-jp-theme-light") ?? html.getAttribute("data-jp-theme-light");
  if (jupyter !== null) return jupyter === "false";
  if (body.className.includes("vscode-")) return !body.classList.contains("vscode-light");
  const colab = html.getAttribute("theme");
  if (colab !== null) return colab === "dark";
  return null;
}

/** Sets `data-theme` on the root to what the host shows, and keeps it so. */
export function followTheme(root: HTMLElement, signal: AbortSignal): void {
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    root.dataset.theme = (hostIsDark() ?? preference.matches) ? "dark" : "light";
  };
  apply();
  preference.addEventListener("change", apply, { signal });
  const observer = new MutationObserver(apply);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: WATCHED });
  }
  signal.addEventListener("abort", () => observer.disconnect());
}
