"""A page: one HTML document that shows an exploration and asks nobody for anything.

Its arrays lie in blocks of text that the browser does not run. The list that describes them is such
a block too; style and script stand in the document, and its Content-Security-Policy names both by
their hashes: nothing else runs, and nothing is fetched, but for the files of a folder. The script
comes last, so that a document that was cut has none; then what stands in its place says so.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clusterwidget.publish.page.packing import Listed, Packed, packed
from clusterwidget.publish.page.recording import Record

FORMAT = 1
MARK = '<meta name="generator" content="clusterwidget">'
"""By which an earlier export is known."""

_STATIC = Path(__file__).parents[2] / "static"
_BASE = """
html{color-scheme:light dark;background:#fff}body{margin:0;padding:12px}
#cut{max-width:44em;margin:3em auto;font:16px/1.5 system-ui,sans-serif}
@media(prefers-color-scheme:dark){html{background:#16181c}#cut{color:#ddd}}
"""
_CUT = (
    "Reading the page… If this stays, the page is not whole: it was cut or changed on its way, or "
    "the browser runs no scripts. Get it again from where it comes from."
)


@dataclass
class Replies:
    """The replies of a page and the arrays beside them, equal ones once.

    Attributes
    ----------
    listed : list of dict
        Each request, the fields of its answer, and the places of its arrays in `blocks`.
    blocks : list of Packed
        In the page.
    arrays : list of Listed
        All arrays, in the page or in files.
    """

    listed: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[Packed] = field(default_factory=list)
    arrays: list[Listed] = field(default_factory=list)
    _places: dict[bytes, int] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Take in a reply whose arrays lie in the page."""
        places = []
        for buffer in record.buffers:
            key = hashlib.sha256(buffer).digest()
            if key not in self._places:
                block = packed(buffer)
                self._places[key] = self._put(block.listed(None))
                self.blocks.append(block)
            places.append(self._places[key])
        self._list(record, places)

    def add_matrix(self, record: Record, blocks: Sequence[tuple[Packed, str | None]]) -> None:
        """Take in a stage matrix and what goes with it, which lie in the page, or in files."""
        self.blocks += [block for block, file in blocks if file is None]
        self._list(record, [self._put(block.listed(file)) for block, file in blocks])

    def _put(self, listed: Listed) -> int:
        self.arrays.append(listed)
        return len(self.arrays) - 1

    def _list(self, record: Record, places: list[int]) -> None:
        self.listed.append({"request": record.request, "fields": record.fields, "buffers": places})


def document(replies: Replies, traits: Mapping[str, Any], title: str) -> bytes:
    """Return the page."""
    # Escaped, a script or a style cannot end early; the hashes are of what the browser reads.
    script = _static("page.js").replace("</script", "<\\/script").replace("<!--", "<\\!--")
    style = _BASE + _static("widget.css").replace("</style", "<\\/style")
    folder = any(array["file"] for array in replies.arrays)
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
            *(["connect-src 'self'"] if folder else []),
        ]
    )
    contents = json.dumps(
        {
            "format": FORMAT,
            "traits": traits,
            "replies": replies.listed,
            "arrays": replies.arrays,
        },
        allow_nan=False,
        separators=(",", ":"),
    )
    whole = packed(contents.encode(), 1)
    blocks = [_block(block) for block in replies.blocks]
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            f"{MARK}\n",
            '<meta name="viewport" content="width=device-width">\n',
            '<meta name="referrer" content="no-referrer">\n',
            f"<title>{html.escape(title)}</title>\n<style>{style}</style>\n</head>\n",
            f'<body>\n<main><p id="cut">{_CUT}</p></main>\n',
            *blocks,
            f'<script type="text/plain" id="contents" data-raw="{whole.raw}"',
            f' data-crc="{whole.crc}">{_text(whole)}</script>\n',
            f'<script type="module">{script}</script>\n</body>\n</html>\n',
        ]
    ).encode()


def frame(page: bytes, height: int | None) -> str:
    """Return HTML that shows a page within another one, apart from all that is in that."""
    # Narrow, the figure is taller: see `js/src/style/figure.css`.
    narrow, phone = "min(890px,(1180px - 100vw)*9999)", "min(1820px,(620px - 100vw)*9999)"
    by_width = f"max(620px,{narrow},{phone})"
    tall = f"height:{by_width if height is None else f'{height + 32}px'}"
    return (
        f'<iframe sandbox="allow-scripts allow-downloads" title="clusterwidget" '
        f'style="width:100%;border:0;{tall}" srcdoc="{html.escape(page.decode())}"></iframe>'
    )


def _block(block: Packed) -> str:
    return f'<script type="text/plain" class="array">{_text(block)}</script>\n'


def _text(block: Packed) -> str:
    return base64.b64encode(block.data).decode()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _static(name: str) -> str:
    path = _STATIC / name
    if not path.is_file():
        raise ImportError(
            f"the front end is not built: {name} is missing. In a checkout run 'make build'; "
            "otherwise install clusterwidget again."
        )
    return path.read_text(encoding="utf-8")
