const WATCHED = ["class", "theme", "data-jp-theme-light", "data-vscode-theme-kind"];
/** A background darker than this, on a scale to 1, is a dark page's. */
const DARK = 0.4;
/** Hosts load the colors of another theme after they have told of it. */
const SETTLED_MS = 400;

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

/** The color that the figure stands on: that of the nearest element around it that has one. */
function groundOf(root: HTMLElement): { color: string; dark: boolean } | null {
  for (let around = root.parentElement; around; around = around.parentElement) {
    const color = getComputedStyle(around).backgroundColor;
    const [red = 0, green = 0, blue = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
    if (!color.startsWith("rgb") || alpha < 1) continue;
    const light = (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    return { color, dark: light < DARK };
  }
  return null;
}

/** Sets `data-theme` and the background on the root to what the host shows, and keeps them so. */
export function followTheme(root: HTMLElement, signal: AbortSignal): void {
  const preference = matchMedia("(prefers-color-scheme: dark)");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const apply = () => {
    const ground = groundOf(root);
    const dark = hostIsDark() ?? ground?.dark ?? preference.matches;
    root.dataset.theme = dark ? "dark" : "light";
    // Where nothing around has a color, as in VS Code, the style sheet knows the host's own.
    if (ground?.dark === dark) root.style.setProperty("--cw-around", ground.color);
    else root.style.removeProperty("--cw-around");
  };
  const follow = () => {
    apply();
    clearTimeout(timer);
    timer = setTimeout(apply, SETTLED_MS);
  };
  follow();
  preference.addEventListener("change", follow, { signal });
  // Load events of style sheets do not bubble.
  document.addEventListener("load", follow, { capture: true, signal });
  const observer = new MutationObserver(follow);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: WATCHED });
  }
  signal.addEventListener("abort", () => {
    observer.disconnect();
    clearTimeout(timer);
  });
}
