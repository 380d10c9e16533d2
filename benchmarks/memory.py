"""Peak memory of capturing one 128-wide stage of a million problems."""

from __future__ import annotations

import subprocess
import sys
import threading

import psutil

import clusterwidget as cw
from benchmarks.timing import print_table

N = 1_000_000
WIDTH = 128


def main() -> None:
    """Measure in a process of its own, whose peak is nobody else's."""
    command = [sys.executable, "-m", "benchmarks.memory"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    before, most, matrix = (float(word) for word in output.split()[-3:])
    print_table(
        f"Memory to capture one {WIDTH}-wide stage of {N:,} problems (MB)",
        ["the stage matrix", "most held, above what was held before", "beyond the matrix"],
        [[f"{matrix:.0f}", f"{most - before:.0f}", f"{most - before - matrix:.0f}"]],
    )


class Watched:
    """Notes the most memory that the process holds, looking every few milliseconds."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._over = threading.Event()
        self.before = self.most = self._held()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            self.most = max(self.most, self._held())

    def _held(self) -> float:
        return self._process.memory_info().rss / 1e6


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
    with Watched() as watch:
        matrix = explorer.matrix("L0.attn_out@=", progress=lambda *_: None)
    print(watch.before, watch.most, matrix.nbytes / 1e6)


if __name__ == "__main__":
    _measure()
