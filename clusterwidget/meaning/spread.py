"""Spread: how much the vectors of a stage differ, and when that is no more than rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from clusterwidget.activations.activations import Activations
from clusterwidget.core.stages import Stage, StageSet
from clusterwidget.core.watch import Watch
from clusterwidget.meaning.shares import Float32Array, squared_lengths

LEAST_SPREAD = 1e-3
"""Fraction of the spread of what a stage is part of, below which all examples are the same there:
of the residual stream, for what is written to it; of all attention, for a pattern."""

_ROUNDING = 1e-6
"""Fraction of the vectors' length below which a spread is float32's rounding."""

_WRITTEN = ("embed", "result", "attn_out", "mlp_out")

_EXAMPLES = 64
"""Examples from which the residual stream's spread is known well enough."""

_ROWS = 8192


def spread_of(matrix: Float32Array) -> tuple[float, float]:
    """Return the root mean squared distance of vectors to their mean, and their r.m.s. length."""
    mean = matrix.mean(axis=0, dtype=np.float64)
    apart = 0.0
    for start in range(0, len(matrix), _ROWS):
        apart += float(squared_lengths(matrix[start : start + _ROWS] - mean).sum())
    apart /= len(matrix)
    return apart**0.5, (apart + float(mean @ mean)) ** 0.5


def is_same_for_all(spread: float, length: float, scale: float) -> bool:
    """Tell whether examples differ by no more than rounding or noise.

    Parameters
    ----------
    spread, length : float
        From `spread_of`.
    scale : float
        The spread of what the stage is part of; 0 where that is not known.
    """
    return spread <= max(LEAST_SPREAD * scale, _ROUNDING * length)


def stream_of(stage: Stage, stage_set: StageSet) -> Stage | None:
    """Return the stage of the residual stream that a stage writes to; None for other stages."""
    if stage.kind not in _WRITTEN:
        return None
    layer = 0 if stage.layer is None else stage.layer
    stream = replace(stage, kind="resid_post", layer=layer, head=None)
    row = next((r for r in stage_set.rows if (r.kind, r.layer) == ("resid_post", layer)), None)
    return stream if row and row.widths[stage_set.column(stage)] else None


class Scales:
    """The spread of what stages are part of, worked out when it is first asked for.

    Parameters
    ----------
    activations : Activations
    """

    def __init__(self, activations: Activations) -> None:
        self._activations = activations
        self._of_stream: dict[Stage, float] = {}

    def of(self, stages: Sequence[Stage], watch: Watch) -> list[float]:
        """Return what the spread of each stage is compared with; 0 where that is not known."""
        stage_set = self._activations.stage_set
        streams = [stream_of(stage, stage_set) for stage in stages]
        self._look(list(dict.fromkeys(filter(None, streams))), watch)
        return [
            1.0 if stage.kind == "pattern" else self._of_stream.get(stream, 0.0) if stream else 0.0
            for stage, stream in zip(stages, streams, strict=True)
        ]

    def _look(self, streams: Sequence[Stage], watch: Watch) -> None:
        held, missing = self._activations.divided(
            [stream for stream in streams if stream not in self._of_stream]
        )
        for stream, matrix in held.items():
            self._of_stream[stream] = spread_of(matrix[:_EXAMPLES])[0]
        if not self._activations.runs_at_once:
            missing = [stream for stream in missing if self._activations.at_hand(stream)]
        if not missing:
            return
        parts: dict[Stage, list[Float32Array]] = {stream: [] for stream in missing}
        self._activations.stream(
            missing,
            lambda stream, _, rows: parts[stream].append(np.array(rows)),
            watch.quiet(),
            first=_EXAMPLES,
        )
        for stream, rows in parts.items():
            self._of_stream[stream] = spread_of(np.concatenate(rows))[0]


class MeasuredScales:
    """What the spread of stages is compared with, where a metric maps their vectors.

    Whether examples differ at all is seen before they are mapped: afterwards rounding can look like
    any other difference.

    Parameters
    ----------
    activations : Activations
    scales : Scales
    """

    def __init__(self, activations: Activations, scales: Scales) -> None:
        self._activations, self._scales = activations, scales

    def of(self, stages: Sequence[Stage], watch: Watch) -> list[float]:
        """Return infinity where all examples are the same, and otherwise 0."""
        raw = self._scales.of(stages, watch)
        all_moments = self._activations.transforms.moments(stages, self._activations, watch)
        return [
            float("inf") if is_same_for_all(moments.spread, moments.length, scale) else 0.0
            for moments, scale in zip(all_moments, raw, strict=True)
        ]
