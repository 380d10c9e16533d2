"""Two figures side by side, linked: two stages, or two models on the same examples."""

from __future__ import annotations

import secrets
from typing import Any

import ipywidgets
import numpy as np
import traitlets

from clusterwidget.core.checks import shown
from clusterwidget.core.examples import Examples
from clusterwidget.core.stages import Stage
from clusterwidget.explorer import Explorer
from clusterwidget.widget import ClusterWidget

LINKED = (
    *("selected", "k", "color_by", "arrange_by", "metric", "plain", "filter"),
    *("scale", "palette", "near", "zoom"),
)
"""The traits that two linked figures share; each has a stage and sets aside what it likes."""

_NARROWEST_PX = 480


def compare(a: Any, b: Any) -> ipywidgets.HBox:
    """Show two figures side by side, or one above the other where there is no room; linked.

    What is selected, filtered, colored by and enlarged in one is so in the other, and hovering
    an example previews it in both. Each has its own stage and sets aside what it likes.

    Parameters
    ----------
    a, b : Explorer, ClusterWidget or (Explorer, stage)
        What stands on the left and on the right. The examples must be the same; the models may
        differ. Where `b` is a widget, it takes over what `a` shows, but for the stage.

    Returns
    -------
    ipywidgets.HBox
        Its ``children`` are the two widgets.

    Raises
    ------
    TypeError, ValueError
        For what is none of these, and for examples that differ.

    See Also
    --------
    ClusterWidget : one figure.

    Examples
    --------
    >>> pair = cw.compare((ex, "L1H0.result@S3"), (ex, "L1.resid_post@S4"))
    >>> left, right = pair.children
    >>> left.selected = 7
    >>> right.selected
    7
    """
    left, right = _figure("a", a), _figure("b", b)
    if left is right:
        raise ValueError(
            f"a and b are one widget, {shown(left)}: compare two, or (explorer, stage) twice."
        )
    _require_same(left.examples, right.examples)
    if not left.arrange_by and not left.plain:
        axes = _axes(left)
        left.set_trait("arrange_by" if axes else "plain", axes or True)
    for name in LINKED:
        right.set_trait(name, getattr(left, name))
    group = secrets.token_hex(8)
    for own, other in ((left, right), (right, left)):
        own.group = group
        own.layout.flex = f"1 1 {_NARROWEST_PX}px"
        own.layout.min_width = "0"
        own.observe(_Passing(other), names=list(LINKED))
        if own.explorer is other.explorer:
            own.told_with.add(other)
    layout = ipywidgets.Layout(flex_flow="row wrap", width="100%", grid_gap="8px")
    return ipywidgets.HBox([left, right], layout=layout)


class _Passing:
    """Hands changes on to another figure that no page shows; in a page the figures do so."""

    def __init__(self, other: ClusterWidget) -> None:
        self._other = other

    def __call__(self, change: Any) -> None:
        if self._other.on_screen:
            return
        try:
            self._other.set_trait(change["name"], change["new"])
        except traitlets.TraitError:
            # An example that was typed for one model is not among the other's.
            return


def _figure(name: str, given: Any) -> ClusterWidget:
    if isinstance(given, ClusterWidget):
        return given
    if isinstance(given, Explorer):
        return ClusterWidget(given)
    pair = isinstance(given, (tuple, list)) and len(given) == 2
    if pair and isinstance(given[0], Explorer) and isinstance(given[1], (str, Stage)):
        return ClusterWidget(given[0], stage=str(given[1]))
    raise TypeError(
        f"{name} must be an Explorer, a ClusterWidget or (Explorer, stage), not {shown(given)}."
    )


def _axes(widget: ClusterWidget) -> list[str]:
    """Return two concepts to arrange both figures by; none where there are no two."""
    examples = widget.examples
    suited = examples.axes.get(str(Stage.parse(widget.stage).position))
    axes = list(suited or examples.concepts.columns[:2])
    return axes if len(set(axes)) == 2 else []


def _require_same(a: Examples, b: Examples) -> None:
    if a is b:
        return
    way_out = "Compare explorers that were made of the same examples."
    if len(a) != len(b):
        raise ValueError(f"a has {len(a):,} examples and b has {len(b):,}. {way_out}")
    for i, (one, other) in enumerate(zip(a.labels, b.labels, strict=True)):
        if one != other:
            raise ValueError(f"example {i} is {shown(one)} in a and {shown(other)} in b. {way_out}")
    if not np.array_equal(a.tokens, b.tokens) or a.inputs.marks() != b.inputs.marks():
        raise ValueError(
            f"the examples of a and b have other tokens, attention masks or columns, of shape "
            f"{a.tokens.shape} and {b.tokens.shape}. {way_out}"
        )
    missing = sorted(set(a.concepts.columns) ^ set(b.concepts.columns))
    if missing:
        raise ValueError(f"only one of a and b has the concept {shown(missing[0])}. {way_out}")
