"""Frames a second while a grid of 100,000 examples is filtered, zoomed and brushed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.page import ARRAYS
from benchmarks.served import in_ms, opened, p50_p95, served
from benchmarks.timing import print_table
from tests.browser.books import run_all
from tests.browser.figure import Figure
from tests.browser.servers import Server

SIZE = (100_000, 32)
FRAMES = 90
AIM = "33 ms"

# One input a frame, as fast as frames come; the ms between frames.
DRIVE = """([what, frames]) => new Promise(done => {
  const canvas = document.querySelector("[data-role=grid]");
  const field = document.querySelector("[data-role=filter]");
  const box = canvas.getBoundingClientRect();
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const texts = ["a = 1", "a = 1 and b > 3", "not a = 2 or b <= 4", "9", "example 12", "b != 7"];
  const inputs = {
    filter: i => {
      set.call(field, texts[i % texts.length]);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    },
    zoom: i => canvas.dispatchEvent(new WheelEvent("wheel", {
      bubbles: true, cancelable: true, ctrlKey: true,
      deltaY: i % 60 < 30 ? -30 : 30,
      clientX: box.left + box.width / 3, clientY: box.top + box.height / 3,
    })),
    nothing: () => undefined,
  };
  const times = [];
  let last = null;
  const frame = now => {
    if (last !== null) times.push(now - last);
    last = now;
    if (times.length >= frames) return done(times);
    inputs[what](times.length);
    requestAnimationFrame(frame);
  };
  field.focus();
  requestAnimationFrame(frame);
})"""
WATCH = """() => {
  window.frames = [];
  let last = null;
  const frame = now => {
    if (last !== null) window.frames.push(now - last);
    last = now;
    window.watching = requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
STOP = "() => { cancelAnimationFrame(window.watching); return window.frames; }"


def main() -> None:
    """Print the time between frames while each tool is in use."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (lab, browser):
        rows = []
        for what, times in _frames(lab, browser).items():
            median, late = p50_p95(times)
            rows.append([what, in_ms(median), in_ms(late), AIM])
        print_table(
            f"Between frames, {SIZE[0]:,} × {SIZE[1]}, one input a frame",
            ["in use", "p50", "p95", "aim"],
            rows,
        )


def _frames(lab: Server, browser: Browser) -> dict[str, tuple[float, ...]]:
    """Return the ms between frames for each tool."""
    page = opened(lab, browser, "tools", [ARRAYS.format(n=SIZE[0], d=SIZE[1])])
    run_all(page)
    figure = Figure(page)
    figure.wait_for_picture(180)
    figure.wait_until_idle(180)
    # What the first use alone costs, concepts and labels read, is over then.
    page.evaluate(DRIVE, ["filter", 12])
    found = {
        "nothing": tuple(page.evaluate(DRIVE, ["nothing", FRAMES])),
        "filter": tuple(page.evaluate(DRIVE, ["filter", FRAMES])),
    }
    figure.part("filter").fill("")
    found["zoom"] = tuple(page.evaluate(DRIVE, ["zoom", FRAMES]))
    figure.part("zoom-whole").click()
    found["brush"] = _brushed(page, figure)
    page.close()
    return found


def _brushed(page: Page, figure: Figure) -> tuple[float, ...]:
    box = figure.part("brush").bounding_box()
    assert box is not None
    y = box["y"] + 10
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    page.evaluate(WATCH)
    for to in (0.9, 0.3, 0.8, 0.4):
        page.mouse.move(box["x"] + to * box["width"], y, steps=FRAMES // 4)
    times: list[float] = page.evaluate(STOP)
    page.mouse.up()
    return tuple(times)


if __name__ == "__main__":
    main()
