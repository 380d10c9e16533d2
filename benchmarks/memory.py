"""Peak memory of capturing one 128-wide stage of a million problems."""

from __future__ import annotations

import resource
import subprocess
import sys

import clusterwidget as cw
from benchmarks.timing import print_table

N = 1_000_000
WIDTH = 128


def main() -> None:
    """Measure in a process of its own, whose peak is nobody else's."""
    command = [sys.executable, "-m", "benchmarks.memory"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    before, after, matrix = (float(word) for word in output.split()[-3:])
    print_table(
        f"Memory to capture one {WIDTH}-wide stage of {N:,} problems (MB)",
        ["the stage matrix", "peak above what was held before", "beyond the matrix"],
        [[f"{matrix:.0f}", f"{after - before:.0f}", f"{after - before - matrix:.0f}"]],
    )


def _peak() -> float:
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _measure() -> None:
    import transformer_lens.model_bridge.sources.native  # noqa: F401 - adds boot_native
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    config = TransformerBridgeConfig(
        n_layers=1,
        n_heads=4,
        d_model=WIDTH,
        d_head=WIDTH // 4,
        d_mlp=4 * WIDTH,
        d_vocab=12,
        n_ctx=14,
        act_fn="relu",
        normalization_type="LN",
        seed=0,
    )
    model = TransformerBridge.boot_native(config)
    small = cw.Explorer(model, cw.addition.problems(2_000, seed=1))
    small.matrix("L0.attn_out@=")
    explorer = cw.Explorer(model, cw.addition.problems(N, seed=0))
    before = _peak()
    matrix = explorer.matrix("L0.attn_out@=", progress=lambda *_: None)
    print(before, _peak(), matrix.nbytes / 1e6)


if __name__ == "__main__":
    _measure()
