"""Words: numbers and labels as a figure writes them."""

from __future__ import annotations

import math
import unicodedata

LONGEST = 60
"""Characters of a label that there is room for."""

_UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
_SIGNS = {"\n": "↵", "\r": "↵", "\t": "⇥"}


def plain(text: str, longest: int = LONGEST) -> str:
    """Return a label that can be drawn on one line, cut where it is too long.

    Line ends and tabs have a sign. What controls the direction or the looks of text, and has none
    of its own, is shown as such, so that no label can pass for another.
    """
    seen = "".join(
        _SIGNS.get(sign) or ("�" if unicodedata.category(sign) in _UNSEEN else sign)
        for sign in text[: longest + 1]
    )
    return seen if len(text) <= longest else seen[: longest - 1] + "…"


def value_text(value: str) -> str:
    """Return a concept's value; a number of many digits is cut to four."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if len(value) <= 8 or not math.isfinite(number):
        return plain(value)
    return f"{number:.4g}"


def visible_token(text: str) -> str:
    """Return a token as a person can see it: spaces have a sign too."""
    return plain(text.replace(" ", "·"), 12)


def distance_text(distance: float) -> str:
    """Return a distance with as many digits as tell it from its like."""
    if distance == 0:
        return "0"
    if not math.isfinite(distance):
        return "–"
    digits = math.floor(math.log10(abs(distance)))
    if digits >= 5 or digits < -4:
        return f"{distance:.2e}"
    if digits < -1:
        return f"{distance:.2g}"
    return f"{distance:.{max(0, 3 - max(0, digits))}f}"


def percent_text(share: float) -> str:
    """Return a share in percent; only all is written 100%, and only none 0%."""
    if math.isnan(share):
        return "–"
    percent = math.floor(100 * share + 0.5)
    if share > 0 and percent == 0:
        return "<1%"
    if share < 1 and percent == 100:
        return ">99%"
    if share < 0:
        return "0%" if percent == 0 else f"−{-percent}%"
    return f"{percent}%"
