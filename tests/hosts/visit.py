"""What is tried with the figure in every host: it is there, a click recolors it, Python knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Frame, Page

from tests.browser.figure import Figure, assert_order_of_brightness

# 10,000 examples at two stages of 5 MB: larger than any message may be.
EXPLORATION = """
import numpy as np
import clusterwidget as cw

rng = np.random.default_rng(0)
n, d = 10_000, 128
a, b = rng.integers(0, 10, (2, n))
examples = cw.Examples(
    np.stack([a, b], axis=1),
    labels=[f"{x} and {y}" for x, y in zip(a, b)],
    positions=["a", "b"],
    concepts={"a": a, "b": b, "even": a % 2 == 0},
    axes={"a": ("a", "b"), "b": ("a", "b")},
)
noise = rng.normal(0, 0.05, (n, d))
explorer = cw.Explorer(
    examples=examples,
    activations={
        "L0.resid_post@a": (np.eye(10)[a] @ rng.normal(size=(10, d)) + noise).astype("f4"),
        "L1.resid_post@b": (np.eye(10)[b] @ rng.normal(size=(10, d)) + noise).astype("f4"),
    },
)
"""
WIDGET = "w = cw.ClusterWidget(explorer)\nw"
CLICKED = 777
COMPARED = 400
MOST_BYTES = 4_000_000


@dataclass
class Seen:
    """What was seen in a host.

    Attributes
    ----------
    picture : str
        ``figure``, ``picture`` or ``nothing``.
    recolored : bool or None
        Whether the grid showed the distances from the clicked example; None where it cannot.
    read_back : bool or None
        Whether Python knew which example was clicked; None where there is no Python.
    largest : int or None
        Bytes of the largest message; None where there were none.
    problem : str
        What went wrong, or nothing.
    browser, versions : str
        Which browser it was, and which versions of what the host is made of.
    notes : list of str
    """

    picture: str = "nothing"
    recolored: bool | None = None
    read_back: bool | None = None
    largest: int | None = None
    problem: str = ""
    browser: str = ""
    versions: str = ""
    notes: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Seen:
        return cls(**json.loads(path.read_text()))


class Scale:
    """Notes how large a page's messages are."""

    def __init__(self, page: Page) -> None:
        self.sizes: list[int] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: Any) -> None:
        socket.on("framesent", lambda payload: self.sizes.append(len(payload)))
        socket.on("framereceived", lambda payload: self.sizes.append(len(payload)))


def visit(
    page: Page,
    distances: npt.NDArray[np.float32],
    picture: Path,
    selected: Callable[[], int] | None,
    scale: Scale | None,
    frame: Frame | None = None,
) -> Seen:
    """Click an example in the figure of a page, look at the grid, ask Python, take a picture.

    Parameters
    ----------
    page
        The figure is there, or comes.
    distances
        From example `CLICKED` to the first ones, at the stage that the figure begins with.
    picture
        Where the screenshot goes.
    selected
        What Python says is selected; None where there is no Python.
    scale
        What noted the page's messages from the start.
    frame
        The frame of the page that the figure is in, if it is in one.
    """
    seen = Seen(recolored=False, read_back=None if selected is None else False)
    # A frame has what is used of a page here.
    figure = Figure(cast(Page, frame) if frame else page)
    try:
        figure.wait_for_picture(120)
        seen.picture = "figure"
        figure.root.scroll_into_view_if_needed()
        figure.wait_until_idle(120)
        figure.click_cell(CLICKED)
        page.wait_for_timeout(300)
        assert_order_of_brightness(figure.luminance(len(distances)), distances)
        seen.recolored = True
        if selected is not None:
            page.wait_for_timeout(500)
            seen.read_back = selected() == CLICKED
        page.mouse.move(1, 1)
        seen.notes.extend(figure.faults())
    except Exception as error:  # noqa: BLE001 - whatever it is, the table says it
        seen.problem = str(error).splitlines()[0] if str(error) else type(error).__name__
    page.screenshot(path=picture)
    if scale is not None and scale.sizes:
        seen.largest = max(scale.sizes)
        if seen.largest > MOST_BYTES:
            seen.problem = seen.problem or f"a message of {seen.largest:,} bytes"
    return seen
