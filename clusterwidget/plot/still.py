"""Still: the grid as a small PNG, for whoever reads a notebook without a kernel.

Drawn by numpy and Pillow alone: matplotlib would take longer to import than all of it takes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from clusterwidget.plot.colors import FADED, LIGHT, rgb, scale_codes, value_indexes
from clusterwidget.plot.lattice import Lattice
from clusterwidget.plot.scene import Coded, Scene
from clusterwidget.plot.words import distance_text, plain, value_text

Bytes = npt.NDArray[np.uint8]

RATIO = 2
"""Pixels to each of the page's, so that text is sharp on every screen."""
CELL_COLORS = 232
"""Places of the palette that cells have; the others are the figure's own."""

_FADED_COLORS = 40
"""Of them, where a filter fades some: they are nearly alike."""

_WIDTH, _HEIGHT = 560, 430
"""Of the cells, in the page's pixels."""
_MOST_CELLS = 60_000
"""More would make a saved notebook large: several examples share a cell then."""
_MARGIN = 8
_TITLE, _EDGE, _LEGEND = 26, 34, 62
_MOST_CHARACTERS = 12
"""Of a row's label."""
_BINS = 72
_MOST_DOTS = 2000
_LEAST_CELL_FOR_DOTS = 3
_MOST_SWATCHES = 16
_LEVELS = 8
"""Shades of a letter's edge."""

# The first shade of ink, and of soft ink, comes after these.
_GROUND = CELL_COLORS
_INK = _GROUND
_SOFT = _INK + _LEVELS
_ACCENT = _SOFT + _LEVELS + 1
_BARS = _ACCENT + 1


@dataclass(frozen=True)
class Still:
    """A PNG, and how large it is on the page, in the page's pixels."""

    png: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """Where the cells are.

    Attributes
    ----------
    lattice : Lattice
    coarse : int
        Pixels of the PNG to each of the lattice's.
    left, top : int
        Of the cells, in the page's pixels.
    """

    lattice: Lattice
    coarse: int
    left: int
    top: int

    @classmethod
    def of(cls, shown: Scene) -> Layout:
        """Return the layout of a picture."""
        arrangement = shown.arrangement
        coarse = _coarseness(len(shown.indexes))
        width, height = (RATIO * side // coarse for side in (_WIDTH, _HEIGHT))
        across, down = arrangement.across, arrangement.down
        gap = max(1, (1 if across > 12 else 2) * RATIO // coarse)
        lattice = Lattice.fit(width, height, across, down, arrangement.capacity, gap)
        if arrangement.rows is None:
            return cls(lattice, coarse, _MARGIN, _TITLE)
        longest = max(len(plain(label, _MOST_CHARACTERS)) for label in arrangement.rows.labels)
        return cls(lattice, coarse, _MARGIN + 18 + 7 * longest, _TITLE + _EDGE)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the cells, in pixels of the PNG."""
        return self.coarse * self.lattice.width, self.coarse * self.lattice.height


def still(shown: Scene) -> Still:
    """Draw the grid with its title, its edges and what its colors mean."""
    layout = Layout.of(shown)
    left, top, (wide, high) = layout.left, layout.top, layout.size
    sheet = _Sheet(
        (left + _MARGIN) * RATIO + wide, (top + _LEGEND + 6) * RATIO + high, shown, layout
    )
    sheet.cells()
    if layout.coarse == 1:
        sheet.marks()
    sheet.text(left, 5, plain(f"{plain(shown.label)} at {shown.stage}", 80), bold=True, size=13)
    sheet.edges()
    below = left, top + high // RATIO + 6, wide // RATIO
    if shown.concept is None:
        sheet.distances(*below)
    else:
        sheet.values(shown.concept, *below)
    return Still(sheet.png(), sheet.width // RATIO, sheet.height // RATIO)


def _coarseness(n: int) -> int:
    """Return how many pixels each way a cell takes at least."""
    if n <= _MOST_CELLS:
        return 1
    return int(np.ceil(np.sqrt(_WIDTH * _HEIGHT * RATIO**2 / _MOST_CELLS)))


class _Sheet:
    """Pixels as places in a palette. Lengths that are not of cells are in the page's pixels."""

    def __init__(self, width: int, height: int, shown: Scene, layout: Layout) -> None:
        # Whole pixels of the page.
        self.width, self.height = width + -width % RATIO, height + -height % RATIO
        self._shown, self._layout = shown, layout
        self._place_of, self._faded_of, self._colors = _reduced(shown)
        self._pixels = np.full((self.height, self.width), _GROUND, np.uint8)

    def cells(self) -> None:
        """Paint the cells."""
        shown, coarse = self._shown, self._layout.coarse
        places = self._layout.lattice.paint(shown.arrangement, shown.indexes, shown.mask)
        # What is faded comes after what is not, and the gap, -1, is the last.
        colors = np.concatenate([self._place_of, self._faded_of, [np.uint8(_GROUND)]])[places]
        if coarse > 1:
            colors = colors.repeat(coarse, axis=0).repeat(coarse, axis=1)
        x, y = self._layout.left * RATIO, self._layout.top * RATIO
        self._pixels[y : y + colors.shape[0], x : x + colors.shape[1]] = colors

    def marks(self) -> None:
        """Put a dot on the nearest examples' cells, and frame the selected one's."""
        shown, lattice = self._shown, self._layout.lattice
        origin = np.array([self._layout.left, self._layout.top]) * RATIO
        wide, high = lattice.cell_width, lattice.cell_height
        cell = min(wide, high)
        if lattice.per_cell == 1 and cell >= _LEAST_CELL_FOR_DOTS:
            dot = max(1, round(cell / 3))
            for x, y in lattice.corners(shown.arrangement, shown.near[:_MOST_DOTS]) + origin:
                at = y + (high - dot) // 2, x + (wide - dot) // 2
                self._pixels[at[0] : at[0] + dot, at[1] : at[1] + dot] = _ACCENT
        ((x, y),) = lattice.corners(shown.arrangement, np.array([shown.selected])) + origin
        inside = self._pixels[y : y + high, x : x + wide].copy()
        for color, margin in ((_GROUND, 4 * RATIO), (_ACCENT, 2 * RATIO)):
            rows = slice(y - margin, y + high + margin)
            self._pixels[rows, x - margin : x + wide + margin] = color
        self._pixels[y : y + high, x : x + wide] = inside

    def edges(self) -> None:
        """Write what the rows and columns of blocks stand for, if anything."""
        rows, columns = self._shown.arrangement.rows, self._shown.arrangement.columns
        if rows is None or columns is None:
            return
        lattice, left, top = self._layout.lattice, self._layout.left, self._layout.top
        scale = self._layout.coarse / RATIO
        labels = [plain(label) for label in columns.labels]
        middle = lattice.columns * lattice.cell_width / 2
        every = _every(6.5 * max(map(len, labels)) + 4, scale * lattice.pitch_x)
        for place in range(0, len(labels), every):
            x = left + scale * (lattice.pitch_x * place + middle)
            self.text(x, top - 15, labels[place], anchor="m")
        x = left + scale * lattice.width / 2
        self.text(x, top - 31, plain(columns.name), anchor="m", bold=True)
        labels = [plain(label, _MOST_CHARACTERS) for label in rows.labels]
        middle = lattice.rows * lattice.cell_height / 2
        for place in range(0, len(labels), _every(12, scale * lattice.pitch_y)):
            y = top + scale * (lattice.pitch_y * place + middle)
            self.text(left - 4, y - 7, labels[place], anchor="r")
        y = top + scale * lattice.height / 2
        self.text(2, y, plain(rows.name), anchor="m", up=True, bold=True)

    def distances(self, left: int, top: int, width: int) -> None:
        """Draw how many examples lie at each distance, over what its color is."""
        shown, scale = self._shown, self._shown.scale
        counts = np.sqrt(scale.histogram(shown.distances, shown.selected, _BINS))
        heights = np.rint(30 * RATIO * counts / max(1.0, counts.max())).astype(int)
        edges = np.rint(np.linspace(left, left + width, _BINS + 1) * RATIO).astype(int)
        floor = (top + 32) * RATIO
        for x, end, high in zip(edges[:-1], edges[1:], heights, strict=True):
            self._pixels[floor - high : floor, x : max(x + 1, end - RATIO // 2)] = _BARS
        across = scale.at(np.linspace(0, 1, width * RATIO))
        rows = slice(floor + 2 * RATIO, floor + 10 * RATIO)
        columns = slice(left * RATIO, (left + width) * RATIO)
        self._pixels[rows, columns] = self._place_of[scale.indexes(across)]
        if scale.most > scale.least:
            (at,) = scale.positions(shown.distances[shown.near[-1:]])
            x = min(round((left + at * width) * RATIO), self.width - 3)
            self._pixels[floor - 32 * RATIO : floor + 10 * RATIO, x : x + 3] = _ACCENT
        said = f"distance; the {len(shown.near):,} nearest lie left of the line"
        least, most = (distance_text(end) for end in scale.at(np.array([0.0, 1.0])))
        self.text(left, top + 44, least)
        self.text(left + width / 2, top + 44, said, anchor="m")
        self.text(left + width, top + 44, most, anchor="r")

    def values(self, concept: Coded, left: int, top: int, width: int) -> None:
        """Say which color each value of a concept has."""
        count = len(concept.values)
        name = plain(concept.name)
        if count > _MOST_SWATCHES:
            codes = scale_codes(concept.values, width * RATIO)
            indexes = value_indexes(codes, concept.values)
            rows = slice((top + 4) * RATIO, (top + 12) * RATIO)
            self._pixels[rows, left * RATIO : (left + width) * RATIO] = self._place_of[indexes]
            self.text(left, top + 16, value_text(concept.values[0]))
            self.text(left + width / 2, top + 16, name, anchor="m", bold=True)
            self.text(left + width, top + 16, value_text(concept.values[-1]), anchor="r")
            return
        self.text(left, top, name, bold=True)
        x, y = float(left), top + 18
        for index in range(count):
            label = plain(concept.values[index], 24)
            room = 28 + _font(11, False).getlength(label) / RATIO
            if x + room > left + width and x > left:
                x, y = float(left), y + 16
            if y > top + _LEGEND - 14:
                return
            at = round(x * RATIO), (y + 2) * RATIO
            side = 10 * RATIO
            self._pixels[at[1] : at[1] + side, at[0] : at[0] + side] = self._place_of[index]
            self.text(x + 14, y, label)
            x += room

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "l",
        size: int = 11,
        bold: bool = False,
        up: bool = False,
    ) -> None:
        """Write a line: from x on, around it, or up to it; upwards around y where it stands."""
        font = _font(size, bold)
        wide, high = int(font.getlength(text)) + 4, (size + 6) * RATIO
        mask = Image.new("L", (wide, high))
        ImageDraw.Draw(mask).text((2, 0), text, fill=255, font=font)
        if up:
            mask = mask.transpose(Image.Transpose.ROTATE_90)
        left, top = round(x * RATIO), round(y * RATIO)
        if up:
            top -= wide // 2
        else:
            left -= {"l": 0, "m": wide // 2, "r": wide}[anchor]
        left, top = max(0, left), max(0, top)
        there = self._pixels[top : top + mask.height, left : left + mask.width]
        level = np.asarray(mask)[: there.shape[0], : there.shape[1]].astype(int) * _LEVELS // 255
        first = _INK if bold else _SOFT
        there[level > 0] = (first + level)[level > 0].astype(np.uint8)

    def png(self) -> bytes:
        """Return the sheet as a PNG."""
        image = Image.fromarray(self._pixels, "P")
        image.putpalette(self._palette().tobytes())
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=3)
        return file.getvalue()

    def _palette(self) -> Bytes:
        ground = np.array(rgb(LIGHT.ground))
        levels = np.arange(1, _LEVELS + 1)[:, None] / _LEVELS
        shades = [ground + levels * (rgb(one) - ground) for one in (LIGHT.ink, LIGHT.soft)]
        own = [ground[None], *shades, [rgb(LIGHT.accent)], [rgb(LIGHT.bars)]]
        return np.concatenate([self._colors, *own]).round().astype(np.uint8)


def _reduced(shown: Scene) -> tuple[Bytes, Bytes, Bytes]:
    """Return the place in the palette of each color of a table, the same faded, and the colors.

    A palette holds 256 colors, and the figure's own are among them: where the cells have more than
    are left, some that are next to each other become one.
    """
    used = np.arange(256)
    if shown.concept is not None:
        values = shown.concept.values
        used = np.union1d(shown.indexes, value_indexes(np.arange(len(values)), values)).astype(int)
    most = CELL_COLORS if shown.mask is None else CELL_COLORS - _FADED_COLORS
    place_of, faded_of = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
    colors = np.zeros((CELL_COLORS, 3), np.uint8)
    places = np.arange(len(used)) * min(len(used), most) // len(used)
    place_of[used] = places
    colors[places] = shown.table[used]
    if shown.mask is not None:
        places = most + np.arange(len(used)) * min(len(used), _FADED_COLORS) // len(used)
        faded_of[used] = places
        ground = np.array(rgb(LIGHT.ground))
        colors[places] = np.rint(ground + FADED / 255 * (shown.table[used] - ground))
    return place_of, faded_of, colors


def _every(room: float, pitch: float) -> int:
    return max(1, int(np.ceil(room / max(pitch, 0.01))))


@lru_cache(maxsize=8)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """Return a font that comes with matplotlib, which is not imported for it."""
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name
    return ImageFont.truetype(str(path), size * RATIO)
