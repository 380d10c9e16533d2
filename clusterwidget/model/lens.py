"""Logit lens: what the model would answer if it stopped at a stage.

The residual stream is read through the final layer norm and the unembedding (nostalgebraist,
"interpreting GPT: the logit lens", 2020). What heads, attention and MLPs add to the stream is read
as its direct contribution to the logits, under the scale that the final layer norm has in the
whole run, as TransformerLens's ``apply_ln_to_stack`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from clusterwidget.core.stages import Stage
from clusterwidget.model.anatomy import anatomy, unembedded
from clusterwidget.model.hooks import Model
from clusterwidget.model.running import evaluating, running

Float32Array = npt.NDArray[np.float32]
Vectors = Callable[[Stage], Float32Array]

STREAM = ("resid_pre", "resid_mid", "resid_post")
CONTRIBUTIONS = ("result", "attn_out", "mlp_out")

_AT_ONCE = 1024


def lens_logits(
    model: Model, stage: Stage, vectors: Vectors, rows: npt.NDArray[np.int64]
) -> Float32Array:
    """Return what a stage says of the next token, for some examples.

    Parameters
    ----------
    model : Model
    stage : Stage
        Of the residual stream, for logits; or of what is added to it, for direct contributions to
        the logits, less what is added to all tokens alike.
    vectors : function of a stage
        Returns its vectors in the model's own basis, shape (N, d_model).
    rows : numpy.ndarray of int, shape (n,)
        The examples.

    Returns
    -------
    numpy.ndarray, shape (n, d_vocab)
    """
    require_lens(stage)
    if stage.kind in CONTRIBUTIONS:
        _require_added(model, stage)
    chosen = vectors(stage)[rows]
    if stage.kind in STREAM:
        return stream_logits(model, chosen)
    if stage.kind == "logits":
        return chosen
    last = Stage("resid_post", layer=model.cfg.n_layers - 1, position=stage.position)
    return contributions(model, chosen, vectors(last)[rows])


def lens_values(
    model: Model, stage: Stage, vectors: Vectors, rows: npt.NDArray[np.int64]
) -> tuple[Float32Array, str]:
    """Return the lens of some examples, shape (n, d_vocab), and what its numbers are.

    ``"contribution"`` to the logits for what is added to the stream, otherwise ``"probability"``.
    """
    logits = lens_logits(model, stage, vectors, rows)
    if stage.kind in CONTRIBUTIONS:
        return logits, "contribution"
    return probabilities(logits), "probability"


def require_lens(stage: Stage) -> None:
    """Raise ValueError where a stage cannot be read as an answer."""
    if stage.kind not in (*STREAM, *CONTRIBUTIONS, "logits"):
        raise ValueError(
            f"{stage} is not in the residual stream nor added to it, so the unembedding cannot "
            f"read it; {', '.join((*STREAM, *CONTRIBUTIONS, 'logits'))} can be read."
        )


def _require_added(model: Model, stage: Stage) -> None:
    """Raise ValueError where what a stage holds is not added to the stream as it is."""
    known = anatomy(model)
    if not known.stream_adds_up:
        raise ValueError(
            f"{stage} is not added to the residual stream as it is: in this model a norm follows "
            "the sum, or what is added is scaled. Read "
            f"L{stage.layer}.resid_post@{stage.position} instead."
        )
    if not known.reads_stream:
        raise ValueError(
            f"{stage} has no direct contribution to the logits: between the residual stream and "
            "the logits this model has more than a norm and an unembedding. Read "
            f"L{stage.layer}.resid_post@{stage.position} instead."
        )
    if stage.kind == "result" and not known.heads_add_up:
        raise ValueError(
            f"{stage} is not added to the residual stream as it is: in this model a norm or "
            f"a factor comes between. Read L{stage.layer}.attn_out@{stage.position} instead."
        )


def stream_logits(model: Model, vectors: Float32Array) -> Float32Array:
    """Return the logits of vectors of the residual stream, (n, d_model) to (n, d_vocab)."""
    parts: Any = model
    known = anatomy(model)
    rows = _as_in_model(model, vectors)
    with torch.no_grad(), running(model), evaluating(model):
        if known.reads_stream:
            logits = unembedded(model, parts.ln_final(rows[None]))[0]
        else:
            logits = torch.cat(
                [_beyond_the_layers(model, part) for part in torch.split(rows, _AT_ONCE)]
            )
    said: Float32Array = logits.float().cpu().numpy()
    return said


def _beyond_the_layers(model: Model, rows: torch.Tensor) -> torch.Tensor:
    """Return the logits of vectors, (n, d_model), put in after the last layer of a whole run.

    For heads of more than a norm and an unembedding, such as BERT's.
    """
    fired: list[bool] = []

    def put_in(activation: torch.Tensor, hook: Any) -> torch.Tensor:
        fired.append(True)
        return rows[:, None].to(activation)

    last = f"blocks.{int(model.cfg.n_layers) - 1}.hook_resid_post"
    tokens = torch.zeros((len(rows), 1), dtype=torch.long, device=rows.device)
    logits: torch.Tensor = model.run_with_hooks(tokens, fwd_hooks=[(last, put_in)])
    if not fired:
        raise ValueError(
            f"the residual stream cannot be read: this model lists {last} and never runs it, and "
            "the logits are more than an unembedding of the final norm."
        )
    return logits[:, 0]


def contributions(model: Model, vectors: Float32Array, final: Float32Array) -> Float32Array:
    """Return what vectors add to the logits directly, less what they add to all alike.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (n, d_model)
        What was added to the residual stream.
    final : numpy.ndarray, shape (n, d_model)
        The residual stream of the same examples before the final layer norm.

    Returns
    -------
    numpy.ndarray, shape (n, d_vocab)
    """
    weights: torch.Tensor = model.W_U  # type: ignore[attr-defined]
    with torch.no_grad(), running(model), evaluating(model):
        part = _on_device(model, vectors)
        if hasattr(model, "ln_final"):
            stream = _on_device(model, final)
            if str(getattr(model.cfg, "normalization_type", "")).upper().startswith("LN"):
                part = part - part.mean(dim=-1, keepdim=True)
                stream = stream - stream.mean(dim=-1, keepdim=True)
            part = part / (stream.square().mean(dim=-1, keepdim=True) + model.cfg.eps).sqrt()
            part = part * _gain(model)
        logits = (part.to(weights) @ weights).float()
        added: Float32Array = (logits - logits.mean(dim=-1, keepdim=True)).cpu().numpy()
    return added


def _gain(model: Any) -> torch.Tensor:
    """Return the final norm's weights, whatever its kind, from its output for alternating signs.

    Such a vector has mean 0 and scale 1, so that the norm only weighs it and adds its bias.
    """
    signs = torch.ones(model.cfg.d_model, device=getattr(model.cfg, "device", None))
    signs[1::2] = -1
    both = torch.stack([signs, -signs])[None]
    up, down = model.ln_final(both.to(anatomy(model).dtype))[0].float()
    gain: torch.Tensor = (up - down) / 2 * signs
    return gain


def probabilities(logits: Float32Array) -> Float32Array:
    """Return the softmax of logits, row by row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Float32Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _as_in_model(model: Model, vectors: Float32Array) -> torch.Tensor:
    return _on_device(model, vectors).to(anatomy(model).dtype)


def _on_device(model: Model, vectors: Float32Array) -> torch.Tensor:
    return torch.as_tensor(vectors, device=getattr(model.cfg, "device", None))
