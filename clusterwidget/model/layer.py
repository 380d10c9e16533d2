"""Layer: what the activations of one layer say of how it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import torch

from clusterwidget.model.hooks import Model

Tensor = torch.Tensor

_TOLERANCE, _ROUGH = 1e-4, 3e-2
"""How far numbers may differ by rounding, over the largest of them; in half precision."""
_NEURONS = ("mlp_pre", "mlp_post")


class Layer:
    """What the activations of one layer say of how it is made.

    Parameters
    ----------
    model : Model
    at : int
    seen : mapping of kind to torch.Tensor, or None
        What each hook held in a small run; None where it is not there or never fired.
    """

    def __init__(self, model: Model, at: int, seen: Mapping[str, Tensor | None]) -> None:
        self.at = at
        self._cfg = model.cfg
        self._attention: Any = getattr(model.blocks[at], "attn", None)  # type: ignore[attr-defined]
        self._seen = {kind: value for kind, value in seen.items() if value is not None}

    @cached_property
    def stream_adds_up(self) -> bool:
        """Whether what leaves is the sum of what entered and what attention and MLP wrote."""
        if not self._has("resid_pre", "attn_out", "resid_post"):
            return False
        parts = [
            self._seen[kind] for kind in ("resid_pre", "attn_out", "mlp_out") if self._has(kind)
        ]
        return _sums_to(parts, self._seen["resid_post"])

    @cached_property
    def heads_add_up(self) -> bool:
        """Whether attention writes the sum of its heads' results and a bias."""
        if not self._has("result", "attn_out"):
            return False
        written = torch.einsum("bthd,hdm->btm", self._seen["z"], self._attention.W_O)
        bias = getattr(self._attention, "b_O", None)
        return close(written if bias is None else written + bias, self._seen["attn_out"])

    @cached_property
    def misnamed(self) -> frozenset[str]:
        """The kinds whose hooks hold something else than their names say."""
        return frozenset(self._misnamed())

    @cached_property
    def score_scale(self) -> float | None:
        """What q · k is divided by, where the hook of the scores holds something else.

        None where the hook is right, and where no scale makes scores of q and k.
        """
        return None if self._scores_fit else self._scale

    @cached_property
    def why_no_trace(self) -> str | None:
        """What keeps its edges from being cut, in words."""
        if not self._has("v", "pattern", "z"):
            return f"layer {self.at} has no attention heads"
        if not self._has("result"):
            return f"what each head of layer {self.at} writes is not known"
        if not self.stream_adds_up:
            return (
                f"what leaves layer {self.at} is not the sum of what entered it and what its "
                "attention and MLP wrote, as a norm follows the sum or the parts are scaled"
            )
        if not self._brings():
            return f"what heads of layer {self.at} bring is not attention times value"
        if "resid_mid" in self.misnamed:
            return f"what the MLP of layer {self.at} reads is not what entered it and the attention"
        return None

    def _has(self, *kinds: str) -> bool:
        return all(kind in self._seen for kind in kinds)

    def _misnamed(self) -> Iterator[str]:
        if self._has("resid_mid", "resid_pre", "attn_out"):
            before = [self._seen["resid_pre"], self._seen["attn_out"]]
            if not _sums_to(before, self._seen["resid_mid"]):
                yield "resid_mid"
        # An MLP of experts has no neurons that all tokens share: its hooks hold what it reads and
        # writes.
        if self._has("mlp_post", "mlp_out") and _same(
            self._seen["mlp_post"], self._seen["mlp_out"]
        ):
            yield from _NEURONS
        if self._has("attn_scores", "pattern") and not self._scores_fit and self._scale is None:
            yield "attn_scores"

    @cached_property
    def _scores_fit(self) -> bool:
        """Whether the softmax of what the hook of the scores holds is the pattern."""
        if not self._has("attn_scores", "pattern"):
            return True
        scores, pattern = self._seen["attn_scores"], self._seen["pattern"]
        return not _same(scores, pattern) and _is_softmax(scores, pattern)

    @cached_property
    def _scale(self) -> float | None:
        """What q · k must be divided by to give scores, or None where it does not."""
        rotary = getattr(self._cfg, "positional_embedding_type", "standard") == "rotary"
        if rotary or not self._has("q", "k", "pattern"):
            return None
        q, k = (self._seen[kind].float().transpose(1, 2) for kind in "qk")
        if q.ndim != 4 or q.shape[1] % k.shape[1]:
            return None
        scores = q @ k.repeat_interleave(q.shape[1] // k.shape[1], dim=1).transpose(-2, -1)
        given = float(getattr(self._cfg, "attn_scale", -1.0) or -1.0)
        for scale in (given, q.shape[-1] ** 0.5, 1.0):
            if scale > 0 and _is_softmax(
                soft_capped(scores / scale, self._cfg), self._seen["pattern"]
            ):
                return scale
        return None

    def _brings(self) -> bool:
        pattern, v, z = (self._seen[kind] for kind in ("pattern", "v", "z"))
        if v.ndim != 4 or z.ndim != 4 or z.shape[2] % v.shape[2] or v.shape[3] != z.shape[3]:
            return False
        v = v.repeat_interleave(z.shape[2] // v.shape[2], dim=2)
        return close(torch.einsum("bhts,bshd->bthd", pattern, v), z)


def soft_capped(scores: Tensor, cfg: Any) -> Tensor:
    """Return attention scores under the model's soft cap, where it has one."""
    cap = float(getattr(cfg, "attn_scores_soft_cap", -1.0) or -1.0)
    return cap * torch.tanh(scores / cap) if cap > 0 else scores


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors differ by rounding only; so they do where a model overflows to NaN."""
    if one.shape != other.shape:
        return False
    tolerance = _TOLERANCE if _exact(other) else _ROUGH
    return not (one - other).abs().max() > tolerance * other.abs().max()


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def _sums_to(parts: list[Tensor], expected: Tensor) -> bool:
    """Whether the first part and what is added to it are what is expected, but for rounding."""
    if any(part.shape != expected.shape for part in parts):
        return False
    # What is added may be small beside the stream: it is held against itself.
    added = torch.stack([part.float() for part in parts[1:]]).sum(dim=0)
    change = expected.float() - parts[0].float()
    rounding = 4 * torch.finfo(expected.dtype).eps * expected.float().abs().max()
    tolerance = _TOLERANCE if _exact(expected) else _ROUGH
    return not (change - added).abs().max() > tolerance * added.abs().max() + rounding


def _is_softmax(scores: Tensor, pattern: Tensor) -> bool:
    """Whether the softmax of scores over what is seen at all is the pattern."""
    if scores.shape != pattern.shape:
        return False
    seen = pattern > 0
    scores, wanted = (
        torch.log_softmax(x.float().masked_fill(~seen, -torch.inf), dim=-1)
        for x in (scores, pattern.float().log())
    )
    # Both are compared by how much they vary over what is seen: attention may be nearly even.
    spread = (wanted.masked_fill(~seen, -torch.inf).amax(dim=-1) - wanted[seen].min()).max()
    off = (scores - wanted)[seen].abs().max()
    close_enough, rounding = (1e-2, 1e-6) if _exact(pattern) else (5e-2, 1e-2)
    return not off > close_enough * spread + rounding


def _exact(tensor: Tensor) -> bool:
    return tensor.dtype in (torch.float32, torch.float64)
