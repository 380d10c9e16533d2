"""Words: numbers and labels as a figure writes them."""

from __future__ import annotations

import math
import re
import unicodedata

LONGEST = 60
"""Characters of a label that there is room for."""

# `js/src/compute/signs.ts` has the same rule; the vectors hold both to it.
_SPECIAL = "bos|eos|pad|unk|mask|cls|sep|s|start_of_turn|end_of_turn"
_MARKED = re.compile(
    rf"<\|(?P<bar>[^|<>\s]{{1,40}})\|>|<(?P<name>/?(?:{_SPECIAL}))>"
    r"|\[(?P<upper>CLS|SEP|PAD|MASK|UNK|BOS|EOS)\]"
    r"|(?P<line>\r\n|[\r\n])|(?P<tab>\t)|(?P<spaces> +)"
)
_UNSEEN = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
_LONGEST_READ = 10_000


def seen(text: str, *, token: bool = False) -> str:
    """Return a text in which everything is seen, as the page writes it.

    Line ends, tabs and special tokens have a sign, and so have spaces where they would be
    overlooked: at the ends, more than one together, or all of a token. What controls the direction
    or the looks of text, and has no sign of its own, is shown as such, so that no label can pass
    for another.
    """

    def sign(match: re.Match[str]) -> str:
        special = match["bar"] or match["name"] or (match["upper"] or "").lower()
        if special:
            return f"⟨{special}⟩"
        if match["line"] or match["tab"]:
            return "↵" if match["line"] else "⇥"
        inside = match.start() > 0 and match.end() < len(text)
        return " " if inside and not token and len(match[0]) == 1 else "·" * len(match[0])

    return "".join(
        "\ufffd" if unicodedata.category(one) in _UNSEEN else one for one in _MARKED.sub(sign, text)
    )


def plain(text: str, longest: int = LONGEST) -> str:
    """Return a label that can be drawn on one line, cut where it is too long."""
    return _cut(seen(text[:_LONGEST_READ]), longest)


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
    return _cut(seen(text[:_LONGEST_READ], token=True), 12)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


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
