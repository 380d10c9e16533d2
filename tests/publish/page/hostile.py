"""An exploration of texts that try to be markup; without a model."""

from __future__ import annotations

import numpy as np

from clusterwidget import Examples, Explorer

HOSTILE = (
    "</script><script>window.hurt = 1</script>",
    "<img src=x onerror='window.hurt = 1'>",
    "\"' onmouseover=window.hurt=1 x='",
    "<!-- <script>",
    "a\u202eb\u2066c",
    "nul\x01bell\x07tab\tline\nend",
    "]]>&amp;&lt;\\u003c/script>",
    "=1+1",
)


def hostile_examples(n: int = 60) -> Examples:
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 8, (n, 2))
    return Examples(
        tokens,
        labels=[f"{HOSTILE[i % len(HOSTILE)]}{i}" for i in range(n)],
        positions=["a", "</style>"],
        vocabulary=list(HOSTILE),
        concepts={
            "</script><b>": [HOSTILE[token] for token in tokens[:, 0]],
            "plain": tokens[:, 1],
        },
    )


def hostile_explorer(n: int = 60) -> Explorer:
    examples = hostile_examples(n)
    rows = np.random.default_rng(1).standard_normal((n, 6)).astype(np.float32)
    rows += 3 * np.eye(8, 6, dtype=np.float32)[examples.tokens[:, 0]]
    return Explorer(
        examples=examples,
        activations={
            "embed@a": rows,
            "logits@</style>": rows[:, :3],
            "embed@</style>": rows[:, 1:],
        },
    )
