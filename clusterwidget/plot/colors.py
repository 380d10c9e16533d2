"""Colors: of distances, of concepts' values, and of the figure itself, as they are on screen.

`js/src/compute/color.ts` and `js/src/style/` have the same; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Color = tuple[int, int, int]

PALETTES = ("viridis", "cividis", "gray")
NEARS = ("bright", "dark")
"""What near examples are."""

FADED = 36
"""How opaque what a filter leaves out is, of 255."""

MISSING = (0x8C, 0x8C, 0x8C)
"""Of examples for which a concept has no value."""

_NONE = 255
_GRAYS = (0.06, 0.94)
_CIVIDIS = (
    (-4.54, -35.34, 2381.73, -6402.7, 7024.72, -2710.57),
    (32.49, 170.73, 52.82, -131.46, 176.58, -67.37),
    (81.24, 442.36, -2482.43, 6167.24, -6614.94, 2475.67),
)
"""Polynomials for red, green and blue, the constant first: those of d3-scale-chromatic."""
_NUMBER = re.compile(
    r"\s*([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|0x[0-9a-f]+|0o[0-7]+|0b[01]+)?\s*", re.I | re.ASCII
)
_CATEGORIES = [
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
    "#7f7f7f",
]
"""Okabe and Ito's eight colors for categories, told apart by color-blind eyes too."""


@dataclass(frozen=True)
class Theme:
    """The colors of the figure that stand for no data.

    Attributes
    ----------
    ground, ink, soft : str
        Of the background, of text, and of text that matters less.
    cell : str
        Of a stage of which nothing is known.
    hover : str
        Of what does not matter.
    accent : str
        Of what is selected.
    bars : str
        Of the histogram.
    warn : str
        Of activations far from any that were seen.
    """

    ground: str
    ink: str
    soft: str
    cell: str
    hover: str
    accent: str
    bars: str
    warn: str


LIGHT = Theme(
    ground="#ffffff",
    ink="#1f2328",
    soft="#656d76",
    cell="#e3e7ec",
    hover="#c3cad3",
    accent="#c2255c",
    bars="#8b95a1",
    warn="#9a3412",
)
DARK = Theme(
    ground="#16181c",
    ink="#e6e8eb",
    soft="#9aa4af",
    cell="#2c323a",
    hover="#4a535e",
    accent="#ff6b9d",
    bars="#79838f",
    warn="#ffb68a",
)


def rgb(color: str) -> Color:
    """Return ``#rrggbb`` as three numbers from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def shade(share: float, palette: str = "viridis") -> Color:
    """Return a color of a palette, 0 dark and 1 bright."""
    if palette == "viridis":
        red, green, blue = VIRIDIS[max(0, min(255, int(np.floor(share * 256))))].tolist()
        return red, green, blue
    if palette == "gray":
        gray = _whole(255 * (_GRAYS[0] + share * (_GRAYS[1] - _GRAYS[0])))
        return gray, gray, gray
    red, green, blue = (_whole(_polynomial(share, each)) for each in _CIVIDIS)
    return red, green, blue


def distance_table(palette: str = "viridis", near: str = "bright") -> Bytes:
    """Return the 256 colors of distances, the nearest first, shape (256, 3)."""
    shares = [index / 255 for index in range(256)]
    return np.array(
        [shade(1 - share if near == "bright" else share, palette) for share in shares], np.uint8
    )


def value_colors(values: Sequence[str], palette: str = "viridis") -> list[Color]:
    """Return one color for each value of a concept.

    A scale from dark to bright where the values are numbers, or too many to tell apart by hue.
    """
    categories = [rgb(color) for color in _CATEGORIES]
    categories += [_paler(color) for color in categories]
    if not _are_numbers(values) and len(values) <= len(categories):
        return categories[: len(values)]
    return [_value_color(share, palette) for share in value_shares(values)]


def value_shares(values: Sequence[str]) -> list[float]:
    """Return where values lie on a concept's scale, 0 to 1: numbers by size, others by order."""
    places = [_number(value) for value in values] if _are_numbers(values) else range(len(values))
    least, most = min(places, default=0), max(places, default=0)
    return [(place - least) / (most - least) if most > least else 0.0 for place in places]


def ramp_colors(palette: str, count: int) -> list[Color]:
    """Return the colors along the scale of a concept of many values."""
    return [_value_color(index / (count - 1), palette) for index in range(count)]


def value_table(values: Sequence[str], palette: str = "viridis") -> Bytes:
    """Return 256 colors of a concept's values, the last of what is missing, shape (256, 3).

    Of more values than the table holds, those that are near share a color.
    """
    table = np.full((256, 3), MISSING, np.uint8)
    many = len(values) > _NONE
    colors = ramp_colors(palette, _NONE) if many else value_colors(values, palette)
    table[: len(colors)] = np.array(colors).reshape(-1, 3)
    return table


def value_indexes(codes: Ints, values: Sequence[str]) -> Bytes:
    """Return each example's place in `value_table`, shape (N,); a code of -1 is missing."""
    places = np.arange(max(1, len(values)))
    if len(values) > _NONE:
        # As the page rounds: halves up.
        places = np.floor(np.array(value_shares(values)) * (_NONE - 1) + 0.5).astype(np.int64)
    return np.where(codes < 0, _NONE, places[codes]).astype(np.uint8)


def scale_codes(values: Sequence[str], count: int) -> Ints:
    """Return the value that lies nearest to each of so many places along a concept's scale."""
    shares = np.array(value_shares(values))
    order = np.argsort(shares, kind="stable")
    between = (shares[order][1:] + shares[order][:-1]) / 2
    found: Ints = order[np.searchsorted(between, np.arange(count) / max(1, count - 1))]
    return found


def mixed(color: str, share: float, ground: str) -> str:
    """Return a share of a color over another one, mixed in Oklab as CSS's ``color-mix`` does.

    Ottosson, "A perceptual color space for image processing" (2020).
    """
    light, dark = (_oklab(np.array(rgb(one)) / 255) for one in (color, ground))
    found = _of_oklab(share * light + (1 - share) * dark)
    red, green, blue = np.rint(255 * np.clip(found, 0, 1)).astype(int).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


def _is_number(text: str) -> bool:
    """Return whether the page takes a text for a finite number."""
    if not _NUMBER.fullmatch(text):
        return False
    digits = text.strip().lower()
    return digits[:2] in ("0x", "0o", "0b") or not digits or bool(np.isfinite(float(digits)))


def _are_numbers(values: Sequence[str]) -> bool:
    return all(value != "" and _is_number(value) for value in values)


def _number(text: str) -> float:
    """Return the number that the page takes a text for."""
    digits = text.strip().lower()
    if digits[:2] in ("0x", "0o", "0b"):
        return float(int(digits, 0))
    return float(digits) if digits else 0.0


def _value_color(share: float, palette: str) -> Color:
    return shade(0.08 + 0.87 * share, palette)


def _polynomial(x: float, coefficients: Sequence[float]) -> float:
    found = 0.0
    for coefficient in reversed(coefficients):
        found = found * x + coefficient
    return found


def _whole(part: float) -> int:
    return max(0, min(255, int(np.floor(part + 0.5))))


def _paler(color: Color) -> Color:
    red, green, blue = (int(np.floor(0.45 * part + 0.55 * 255 + 0.5)) for part in color)
    return red, green, blue


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _oklab(color: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    found: npt.NDArray[np.float64] = _TO_LAB @ np.cbrt(_TO_CONES @ linear)
    return found


def _of_oklab(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    linear = np.linalg.solve(_TO_CONES, np.linalg.solve(_TO_LAB, lab) ** 3)
    bright = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, bright)


VIRIDIS: Bytes = np.frombuffer(
    bytes.fromhex(
        "44015444025645045745055946075a46085c460a5d460b5e470d60470e61471063471164471365481467481668"
        "48176948186a481a6c481b6d481c6e481d6f481f70482071482173482374482475482576482677482878482979"
        "472a7a472c7a472d7b472e7c472f7d46307e46327e46337f463480453581453781453882443983443a83443b84"
        "433d84433e85423f854240864241864142874144874045884046883f47883f48893e49893e4a893e4c8a3d4d8a"
        "3d4e8a3c4f8a3c508b3b518b3b528b3a538b3a548c39558c39568c38588c38598c375a8c375b8d365c8d365d8d"
        "355e8d355f8d34608d34618d33628d33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e"
        "2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e2c728e2c738e2b748e2b758e2a768e2a778e2a788e29798e297a8e"
        "297b8e287c8e287d8e277e8e277f8e27808e26818e26828e26828e25838e25848e25858e24868e24878e23888e"
        "23898e238a8d228b8d228c8d228d8d218e8d218f8d21908d21918c20928c20928c20938c1f948c1f958b1f968b"
        "1f978b1f988b1f998a1f9a8a1e9b8a1e9c891e9d891f9e891f9f881fa0881fa1881fa1871fa28720a38620a486"
        "21a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad8128ae8029af7f2ab07f2cb17e2db27d"
        "2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc743fbc7340bd7242be7144bf70"
        "46c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc8635ec96260ca6063cb5f"
        "65cb5e67cc5c69cd5b6ccd5a6ece5870cf5773d05675d05477d1537ad1517cd2507fd34e81d34d84d44b86d549"
        "89d5488bd6468ed64590d74393d74195d84098d83e9bd93c9dd93ba0da39a2da37a5db36a8db34aadc32addc30"
        "b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021c8e020cae11fcde11dd0e11cd2e21bd5e21a"
        "d8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61ef6e620f8e621fbe723"
        "fde725"
    ),
    np.uint8,
).reshape(256, 3)
"""By Nathaniel Smith and Stéfan van der Walt (CC0); here, so that nothing waits for matplotlib."""
