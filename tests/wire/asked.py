"""Every request of the page, once or twice, and an explorer that can answer them.

``python -m tests.wire.asked`` writes the answers to `js/tests/replies.json`, for the page's tests.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from clusterwidget import Answer, Examples, Explorer
from clusterwidget.core.watch import Watch
from clusterwidget.wire.replies import reply
from tests.conftest import make_native

PATH = Path(__file__).parents[2] / "js" / "tests" / "replies.json"
STAGE = "L0.attn_out@b"

REQUESTS: list[dict[str, Any]] = [
    {"what": "hello"},
    {"what": "captions", "row": 3},
    {"what": "labels"},
    {"what": "tokens"},
    {"what": "concepts", "names": ["first"]},
    {"what": "matrix", "stage": "L0H0.pattern@b", "without": [], "metric": "l2"},
    {"what": "matrix", "stage": STAGE, "without": [], "metric": "l2"},
    {"what": "matrix", "stage": STAGE, "without": ["even"], "metric": "l2"},
    {"what": "distances", "stage": STAGE, "without": [], "metric": "l2", "row": 3},
    {"what": "find", "text": "1 2 3"},
    {"what": "load"},
    {"what": "prepare"},
    {"what": "partitions"},
    {"what": "atlas", "kinds": ["embed"], "first": None, "metric": "l2"},
    {"what": "lens", "stage": "L0.resid_post@b", "row": 3, "k": 5, "metric": "l2"},
    {"what": "lens", "stage": "L0H0.q@b", "row": 3, "k": 5, "metric": "l2"},
    {"what": "shared_texts", "stage": "embed@a", "without": [], "metric": "l2", "row": 3, "k": 4},
    {"what": "clusters", "stage": "embed@a", "without": [], "metric": "l2"},
    {"what": "parts", "stage": "embed@a", "without": [], "metric": "l2"},
    {"what": "parts", "stage": "embed@a", "without": ["even"], "metric": "l2"},
    {"what": "matrix", "stage": "embed@a", "without": [], "metric": "l2"},
    *(
        {"what": "matrix", "stage": "embed@a", "without": without, "metric": metric}
        for metric in ("cosine", "standardized", "whitened")
        for without in ([], ["even"])
    ),
    {"what": "distances", "stage": "embed@a", "without": [], "metric": "whitened", "row": 3},
    {"what": "second_parts", "kinds": ["embed"], "metric": "l2"},
    {"what": "swap", "stage": STAGE, "receiver": 3, "donor": 4, "free": False},
    {"what": "swap", "stage": "logits@b", "receiver": 3, "donor": 4, "free": False},
    {"what": "swap_test", "stage": STAGE, "pairs": None, "metric": "l2"},
    {"what": "swap_test", "stage": "logits@b", "pairs": 20, "metric": "l2"},
    {"what": "account", "stage": STAGE, "metric": "l2"},
    {"what": "account", "stage": "logits@b", "metric": "l2"},
    {"what": "swap_tests", "kinds": ["attn_out"], "metric": "l2"},
    {"what": "trace", "row": 3, "answer": "next"},
    {"what": "trace", "row": 3, "answer": "none"},
    {"what": "layout", "stage": STAGE, "without": ["even"], "metric": "l2", "method": "pca"},
    {"what": "concept_of", "stage": STAGE, "without": [], "metric": "l2", "component": 0},
    {"what": "concept_of_chosen", "name": "mine", "chosen": "Hw=="},
]


def asked_explorer() -> Explorer:
    """Return an explorer of a small model, with an answer, concepts and a parser."""
    tokens = np.random.default_rng(0).integers(0, 10, (40, 3))
    examples = Examples(
        tokens,
        positions=["a", "b", "c"],
        concepts={"first": tokens[:, 0], "even": tokens[:, 0] % 2 == 0},
        answers=[Answer("next", "b", tokens[:, 2], "the next", "{first} is first")],
        axes={"b": ("first", "even")},
        families={"first": "digits"},
        descriptions={"even": "Whether the first digit is even."},
        parse=_read,
    )
    sizes = {"n_layers": 1, "n_heads": 2, "d_model": 8, "d_head": 4, "d_mlp": 8}
    return Explorer(make_native(**sizes), examples)


def _read(text: str) -> Examples:
    tokens = np.array([[int(word) for word in text.split()]])
    return Examples(
        tokens,
        positions=["a", "b", "c"],
        concepts={"first": tokens[:, 0], "even": tokens[:, 0] % 2 == 0},
        answers=[Answer("next", "b", tokens[:, 2], "the next", "{first} is first")],
    )


def replies() -> str:
    """Return each request with the answer to it, as JSON, buffers in base64."""
    explorer = asked_explorer()
    kept = []
    for request in REQUESTS:
        fields, buffers = reply(explorer, request, Watch())
        kept.append(
            {
                "request": request,
                "fields": fields,
                "buffers": [base64.b64encode(bytes(buffer)).decode() for buffer in buffers],
            }
        )
    return json.dumps(kept) + "\n"


if __name__ == "__main__":
    PATH.write_text(replies())
