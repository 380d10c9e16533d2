"""Output: the picture that a notebook's output carries beside the widget, or in its place."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clusterwidget.core.notebook import in_voila
from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.explorer import Explorer
from clusterwidget.plot.scene import CLUSTER, scene

if TYPE_CHECKING:
    from clusterwidget.plot.still import Still

AUTO = "auto"
VIEW = "application/vnd.jupyter.widget-view+json"

_MOST_EXAMPLES = 100_000
_MOST_BYTES = 32 << 20
"""Of a stage's matrix. What is larger would keep a page waiting for its widget."""

Bundle = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Shown:
    """What a widget shows: its traits of these names."""

    selected: int
    stage: str
    k: int
    color_by: str
    arrange_by: tuple[str, ...]
    without: tuple[str, ...]
    metric: str
    plain: bool
    filter: str
    scale: str
    palette: str
    near: str


def is_waited_for(picture: str | bool, unattended: bool) -> bool:
    """Whether the stage is captured for the picture where it is not held."""
    return picture is True or (picture == AUTO and unattended)


def with_picture(
    bundle: Bundle | dict[str, Any] | None,
    ex: Explorer,
    shown: Shown,
    picture: str | bool,
    unattended: bool,
) -> Bundle | dict[str, Any] | None:
    """Return a widget's MIME bundle with a picture of the grid, where there is to be one.

    Parameters
    ----------
    bundle : tuple or dict, optional
        Data, and metadata if there is any, by MIME type; None where the widget has no view.
    ex : Explorer
    shown : Shown
    picture : "auto", True or False
        See `ClusterWidget`.
    unattended : bool
        Whether no page will show the widget.
    """
    waited_for = is_waited_for(picture, unattended)
    if bundle is None:
        return None
    # Voila keeps no outputs: nobody would see the picture, and each visitor's kernel would draw it.
    left_out = picture is False or in_voila() or not _is_quick(ex, shown)
    if not waited_for and left_out:
        return bundle
    drawn = _drawn(ex, shown)
    plain, about = bundle if isinstance(bundle, tuple) else (bundle, {})
    data, metadata = dict(plain), dict(about)
    data["image/png"] = b64encode(drawn.png).decode()
    metadata["image/png"] = {"width": drawn.width, "height": drawn.height}
    if picture == AUTO and unattended:
        # Without a page that answers, whoever prefers the widget would show nothing.
        data.pop(VIEW, None)
        metadata.pop(VIEW, None)
    return data, metadata


def _is_quick(ex: Explorer, shown: Shown) -> bool:
    """Whether a picture costs too little for anyone to wait for it."""
    clustered = shown.color_by == CLUSTER and CLUSTER not in ex.examples.concepts.columns
    stage, n = Stage.parse(shown.stage), len(ex.examples)
    return (
        ex.holds(stage)
        and not shown.without
        and shown.metric != "whitened"
        and not clustered
        and n <= _MOST_EXAMPLES
        and 4 * n * ex.stage_set.width(stage) <= _MOST_BYTES
    )


def _drawn(ex: Explorer, shown: Shown) -> Still:
    # Takes Pillow, which nobody waits for who draws nothing.
    from clusterwidget.plot.still import still

    return still(
        scene(
            ex,
            shown.stage,
            shown.selected,
            color_by=shown.color_by,
            arrange_by=shown.arrange_by or None,
            without=shown.without,
            metric=shown.metric,
            plain=shown.plain,
            filter=shown.filter,
            scale=shown.scale,
            palette=shown.palette,
            near=shown.near,
            k=shown.k,
            watch=Watch().quiet(),
        )
    )
