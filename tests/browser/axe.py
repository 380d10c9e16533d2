"""Checks a figure with axe-core, from the front end's development dependencies."""

from __future__ import annotations

from pathlib import Path

from tests.browser.figure import Figure

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async contrast => {
  const { violations, passes } = await axe.run(".clusterwidget");
  if (contrast && !passes.some(({ id }) => id === "color-contrast")) throw new Error("no contrast");
  return violations.flatMap(({ id, help, nodes }) => nodes.map(
    ({ html, failureSummary }) => `${id} (${help}): ${html.slice(0, 200)} ${failureSummary}`));
}"""


def violations(figure: Figure, *, contrast: bool = True) -> list[str]:
    """Return what axe-core finds wrong with the figure as it is now, in words.

    Without ``contrast`` that of no text need be known: of what lies over a canvas it is not.
    """
    if not figure.page.evaluate("'axe' in window"):
        # JupyterLab has an AMD loader, to which axe-core would go instead of the window.
        source = AXE.read_text(encoding="utf-8")
        hidden = "const define = undefined, module = undefined, exports = undefined;"
        figure.page.evaluate(f"() => {{ {hidden}\n{source}\n}}")
    found: list[str] = figure.page.evaluate(RUN, contrast)
    return found
