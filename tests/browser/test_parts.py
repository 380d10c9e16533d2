"""Between a real page and a real kernel no message is over 4 MB, and a lost part comes again."""

from __future__ import annotations

from playwright.sync_api import WebSocketRoute

from tests.browser.books import kernel_behind, lab_url, run_all, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

MOST_BYTES = 4_000_000
# The labels are 16 MB, the matrix 6.4 MB.
LARGE = """
import numpy as np
import clusterwidget as cw

n = 200_000
a, b = np.random.default_rng(0).integers(0, 10, (2, n))
w = cw.ClusterWidget(
    cw.Explorer(
        examples=cw.Examples(
            np.stack([a, b], axis=1), labels=[f"problem {i} {'.' * 65}" for i in range(n)]
        ),
        activations={"L0.resid_post@1": np.stack([a, b] * 4, axis=1).astype(np.float32)},
    )
)
w
"""


def test_large_answers_come_in_small_messages_and_a_lost_one_comes_again(
    lab: Server, open_page: OpenPage
) -> None:
    sizes: list[int] = []
    lost: list[str | bytes] = []

    def pass_on(way: WebSocketRoute) -> None:
        server = way.connect_to_server()

        def to_page(message: str | bytes) -> None:
            sizes.append(len(message))
            if len(message) > 500_000 and not lost:
                lost.append(message)
            else:
                way.send(message)

        def to_kernel(message: str | bytes) -> None:
            sizes.append(len(message))
            server.send(message)

        server.on_message(to_page)
        way.on_message(to_kernel)

    page = open_page("about:blank")
    page.route_web_socket("**/api/kernels/**", pass_on)
    page.goto(lab_url(lab, write_notebook(lab.root, "large", [LARGE])))
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(120)
    label = page.locator("[data-role=neighbors] [data-example]").first
    label.get_by_text("problem ").wait_for()
    kernel = kernel_behind(lab, page)
    example = figure.neighbors()[1]
    assert f"problem {example}" in figure.part("neighbors").inner_text()
    kernel.run("w.selected = 77")
    page.wait_for_function(
        "document.querySelector('.clusterwidget').dataset.paintedSelected === '77'"
    )
    kernel.close()
    assert len(lost) == 1
    assert sum(sizes) > 20_000_000
    assert max(sizes) <= MOST_BYTES
