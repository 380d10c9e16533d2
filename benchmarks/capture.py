"""Capturing four kinds of stages, everywhere, beside the bare forward passes."""

from __future__ import annotations

import torch

import clusterwidget as cw
from benchmarks.timing import medians, print_table

KINDS = ("pattern", "z", "attn_out", "resid_post")
N = 10_000
BATCH = 1024


def main() -> None:
    """Print the ratio of a capture to the forward passes of the same batches."""
    model = cw.addition.load_model()
    problems = cw.addition.problems(N, seed=0)
    batches = torch.split(torch.as_tensor(problems.tokens, dtype=torch.long), BATCH)

    def forward() -> None:
        with torch.no_grad():
            for batch in batches:
                model(batch)

    def capture() -> None:
        explorer = cw.Explorer(model, problems, batch_size=BATCH)
        explorer.capture(explorer.stages(kinds=KINDS), progress=lambda *_: None)

    times = medians({"forward": forward, "capture": capture}, rounds=9, warm_up=2)
    print_table(
        f"Capture of {', '.join(KINDS)} at every layer, head and position of {N:,} problems",
        ["forward passes", "with the capture", "ratio"],
        [
            [
                f"{times['forward']:.2f} s",
                f"{times['capture']:.2f} s",
                f"{times['capture'] / times['forward']:.2f}×",
            ]
        ],
    )
