"""Pages without a kernel, from the disk and from a static server."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from clusterwidget import Explorer
from clusterwidget.publish.page.export import export
from clusterwidget.publish.page.recording import View
from tests.browser.figure import Figure, assert_order_of_brightness
from tests.browser.fixtures import OpenPage
from tests.publish.page.hostile import hostile_explorer

N = 200
EXPLORER = hostile_explorer(N)
VIEW = View(3, "embed@a", 10, "distance", [], [], None)
STAGES = ["embed@a", "logits@</style>"]
NOT_WHOLE = re.compile("not whole")

# Each tries to reach another place or to run a text; what the policy forbids is told of.
FORBIDDEN = """() => new Promise(done => {
  const told = [];
  document.addEventListener("securitypolicyviolation", event => {
    told.push(event.effectiveDirective);
  });
  const element = (name, attributes) => {
    document.body.append(Object.assign(document.createElement(name), attributes));
  };
  const attempts = [
    () => fetch("http://127.0.0.1:9/").catch(() => undefined),
    () => new WebSocket("ws://127.0.0.1:9/"),
    () => navigator.sendBeacon("http://127.0.0.1:9/", "x"),
    () => element("img", { src: "http://127.0.0.1:9/x.png" }),
    () => element("iframe", { src: "http://127.0.0.1:9/" }),
    () => element("link", { rel: "stylesheet", href: "http://127.0.0.1:9/x.css" }),
    () => element("script", { textContent: "window.hurt = 1" }),
    () => element("script", { src: "http://127.0.0.1:9/x.js" }),
    () => element("div", { innerHTML: "<b onclick='window.hurt = 1'>x</b>" }),
    () => document.body.lastChild.firstChild.click(),
    () => eval("window.hurt = 1"),
    () => new Function("window.hurt = 1")(),
    () => setTimeout("window.hurt = 1"),
    () => new Worker("data:text/javascript,1"),
  ];
  // Not from here: the debugger's own code may do what the page's may not.
  setTimeout(() => {
    for (const attempt of attempts) try { attempt(); } catch { }
    setTimeout(() => done(told.sort()), 500);
  });
})"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(EXPLORER, VIEW, tmp_path_factory.mktemp("file") / "page.html", STAGES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(EXPLORER, VIEW, tmp_path_factory.mktemp("folder") / "page", STAGES).parent


@pytest.fixture(scope="module")
def figure(file: Path, open_module_page: OpenPage) -> Figure:
    figure = Figure(open_module_page(file.as_uri()))
    figure.wait_for_picture()
    return figure


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.RequestHandlerClass.log_message = lambda *_: None  # type: ignore[attr-defined]
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()


def assert_shows(figure: Figure, stage: str, selected: int, without: tuple[str, ...] = ()) -> None:
    distances = EXPLORER.distances(stage, selected, without=without)
    assert_order_of_brightness(figure.luminance(N), distances)


def test_a_file_opens_by_itself(figure: Figure) -> None:
    assert_shows(figure, "embed@a", 3)
    expect(figure.part("shared")).to_be_visible()
    expect(figure.part("atlas-legend")).to_be_visible()


def test_a_hover_and_a_click_recolor_the_grid(figure: Figure) -> None:
    figure.hover_cell(50)
    figure.page.wait_for_timeout(300)
    assert_shows(figure, "embed@a", 50)
    figure.click_cell(60)
    neighbors = EXPLORER.neighbors("embed@a", 60, 10)["example"].tolist()
    assert figure.neighbors() == neighbors[: len(figure.neighbors())]
    figure.choose_stage("logits@</style>")
    assert_shows(figure, "logits@</style>", 60)
    figure.choose_stage("embed@a")


def test_a_concept_is_set_aside_as_in_a_kernel(figure: Figure) -> None:
    figure.part("tab-made-of").click()
    with figure.repaint():
        figure.root.locator("[data-set-aside]").first.click()
    assert_shows(figure, "embed@a", 60, ("</script><b>",))
    expect(figure.part("what-is-left")).to_be_visible()
    named = figure.part("what-is-left").get_by_text("make it a concept")
    expect(named.first).to_be_disabled()
    with figure.repaint():
        figure.root.locator("[data-set-aside]").first.click()
    figure.part("tab-near").click()


def test_another_metric_is_worked_out_in_the_page(figure: Figure) -> None:
    for metric in ("cosine", "standardized", "whitened"):
        figure.part("colors").click()
        with figure.repaint():
            figure.part("metric").select_option(metric)
        figure.page.keyboard.press("Escape")
        distances = EXPLORER.distances("embed@a", 60, metric=metric)
        assert_order_of_brightness(figure.luminance(N), distances)
        expect(figure.part("legend")).to_contain_text(f"distance ({metric})")
    figure.part("tab-made-of").click()
    expect(figure.part("made-of")).to_contain_text("was not saved with the page")
    figure.part("tab-near").click()
    with figure.repaint():
        figure.part("metric-chip").click()
    assert_shows(figure, "embed@a", 60)


def test_labels_are_searched(figure: Figure) -> None:
    with figure.repaint(selected=193):
        figure.type_example("= 1'>193")


def test_texts_are_text(figure: Figure) -> None:
    # Spaces of a token have a sign.
    shown = figure.root.inner_text().replace("·", " ")
    assert "</script><script>window.hurt = 1</script>" in shown
    assert figure.root.locator("script, b b, img, [onmouseover]").count() == 0
    assert figure.page.evaluate("window.hurt") is None


def test_what_needs_a_kernel_says_so(figure: Figure) -> None:
    x, y = figure.middle(9)
    figure.grid.click(position={"x": x, "y": y}, modifiers=["Shift"])
    expect(figure.part("swap-problem")).to_contain_text("open the exploration in a notebook")
    figure.part("swap-dismiss").click()
    options = figure.part("color").locator("option")
    assert options.filter(has_text=re.compile("^cluster$")).is_disabled()


def test_the_policy_forbids_every_request_and_all_other_code(
    file: Path, open_page: OpenPage
) -> None:
    page = open_page(file.as_uri())
    Figure(page).wait_for_picture()
    told = page.evaluate(FORBIDDEN)
    assert page.evaluate("window.hurt") is None
    forbidden = {"connect-src", "img-src", "frame-src", "style-src-elem", "script-src-elem",
                 "script-src-attr", "script-src", "worker-src"}  # fmt: skip
    assert set(told) == forbidden
    assert told.count("connect-src") == told.count("script-src") == 3


def assert_not_whole(page: Page) -> None:
    """Check that a message says so, in place of any picture."""
    expect(page.locator("#cut")).to_contain_text(NOT_WHOLE)
    page.wait_for_timeout(300)
    assert page.locator(".clusterwidget").count() == 0


@pytest.mark.parametrize(
    "change",
    ["cut in an array", "cut in the script", "changed list", "changed array", "arrays turned round",
     "an array less", "changed script"],
)  # fmt: skip
def test_a_page_that_is_not_whole_says_so(
    file: Path, tmp_path: Path, open_page: OpenPage, change: str
) -> None:
    text = file.read_text()
    arrays = re.findall(r'<script type="text/plain" class="array">.*?</script>\n', text)
    longest = max(arrays[:4], key=len)
    middle = longest[: len(longest) // 2]
    changed = {
        "cut in an array": text[: text.index(middle) + len(middle)],
        "cut in the script": text[:-5000],
        "changed list": re.sub(
            r'(id="contents"[^>]*>.{500})(.)', lambda m: m[1] + ("A" if m[2] != "A" else "B"), text
        ),
        "changed array": text.replace(middle, middle[:-1] + ("A" if middle[-1] != "A" else "B")),
        "arrays turned round": text.replace(arrays[0], "@").replace(arrays[1], arrays[0])
        .replace("@" + arrays[0], arrays[1] + arrays[0]),
        "an array less": text.replace(arrays[2], ""),
        "changed script": text.replace('<script type="module">', '<script type="module">;'),
    }[change]  # fmt: skip
    assert changed != text
    page = tmp_path / "page.html"
    page.write_text(changed)
    assert_not_whole(open_page(page.as_uri()))


def test_a_stage_that_is_not_whole_is_not_shown(
    file: Path, tmp_path: Path, open_page: OpenPage
) -> None:
    text = file.read_text()
    # After the stage's vectors comes its map.
    last = re.findall(r'class="array">(.*?)</script>', text)[-2]
    middle = last[: len(last) // 2]
    (tmp_path / "page.html").write_text(
        text.replace(middle, middle[:-1] + ("A" if middle[-1] != "A" else "B"))
    )
    figure = Figure(open_page((tmp_path / "page.html").as_uri()))
    figure.wait_for_picture()
    before = figure.painted()
    figure.root.locator('[data-stage="logits@</style>"]').click()
    expect(figure.part("error")).to_contain_text(NOT_WHOLE)
    assert figure.painted() == before


def test_a_folder_fetches_stages_when_they_are_looked_at(server: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(server)))
    page.goto(server)
    figure = Figure(page)
    figure.wait_for_picture()
    assert_shows(figure, "embed@a", 3)
    page.wait_for_timeout(500)
    assert not [url for url in asked if url.startswith("/stages/")]
    figure.choose_stage("logits@</style>")
    assert_shows(figure, "logits@</style>", 3)
    assert len([url for url in asked if url.startswith("/stages/")]) == 1
    assert set(asked) <= {"/", "/favicon.ico"} | {url for url in asked if "/stages/" in url}


def test_a_folder_whose_file_is_another_or_gone_says_so(
    folder: Path, server: str, open_page: OpenPage
) -> None:
    figure = Figure(open_page(server))
    figure.wait_for_picture()
    file = max((folder / "stages").iterdir(), key=lambda file: file.stat().st_size)
    with changed(file, file.read_bytes()[:-30]):
        figure.root.locator('[data-stage="logits@</style>"]').click()
        expect(figure.part("error")).to_contain_text("Copy the whole folder again")
    assert figure.painted()["stage"] == "embed@a"


def test_a_folder_opened_from_the_disk_says_how_to_open_it(
    folder: Path, open_page: OpenPage
) -> None:
    figure = Figure(open_page((folder / "index.html").as_uri()))
    figure.wait_for_picture()
    figure.root.locator('[data-stage="logits@</style>"]').click()
    expect(figure.part("error")).to_contain_text("python -m http.server")


@contextlib.contextmanager
def changed(file: Path, data: bytes) -> Iterator[None]:
    before = file.read_bytes()
    file.write_bytes(data)
    yield
    file.write_bytes(before)


def test_a_few_coordinates_that_carry_the_distance_are_pointed_out(
    tmp_path: Path, open_page: OpenPage
) -> None:
    vectors = np.random.default_rng(2).standard_normal((N, 40)).astype(np.float32)
    vectors[:, 7] *= 50
    ex = Explorer(examples=EXPLORER.examples, activations={"embed@a": vectors})
    page = export(ex, VIEW, tmp_path / "page.html", ["embed@a"], tell=None)
    figure = Figure(open_page(page.as_uri()))
    figure.wait_for_picture()
    chip = figure.part("dominated")
    expect(chip).to_have_text("3 of 40 coordinates carry 98% of the distance: standardize")
    with figure.repaint():
        chip.click()
    distances = ex.distances("embed@a", 3, metric="standardized")
    assert_order_of_brightness(figure.luminance(N), distances)
    expect(chip).to_have_count(0)
    expect(figure.part("metric-chip")).to_have_text("standardized ×")


def test_float16_shows_nearly_the_same(tmp_path: Path, open_page: OpenPage) -> None:
    page = export(EXPLORER, VIEW, tmp_path / "page.html", STAGES, dtype="float16")
    figure = Figure(open_page(page.as_uri()))
    figure.wait_for_picture()
    figure.choose_stage("logits@</style>")
    matrix = EXPLORER.matrix("logits@</style>").astype(np.float16).astype(np.float32)
    distances = np.linalg.norm(matrix - matrix[3], axis=1)
    assert_order_of_brightness(figure.luminance(N), distances)
