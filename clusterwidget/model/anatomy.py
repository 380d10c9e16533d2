"""Anatomy: what one small run shows of a model: which hooks fire, how wide, and what adds up.

Families differ in what their hooks hold, and configurations do not say so: a norm may follow what
the heads write, a pattern may be told only after it was used, an MLP may be made of experts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch

from clusterwidget.core.stages import ATTENTION_KINDS, HEAD_KINDS, LAYER_KINDS
from clusterwidget.model.hooks import Model, hook_name
from clusterwidget.model.layer import Layer, close
from clusterwidget.model.running import evaluating, running

Place = tuple[str, int | None]
"""A kind and a layer."""
Tensor = torch.Tensor

_TOKENS = (4, 5, 3)
"""How many tokens are run: another number than there are heads, which tells the two apart."""


@dataclass(frozen=True)
class Anatomy:
    """What one small run shows of a model.

    Attributes
    ----------
    widths : mapping of (kind, layer) to int
        Length of the vectors, for the kinds that fire and hold what their name says.
    heads : mapping of (kind, layer) to int
        How many there are, for the kinds that have them.
    dtype : torch.dtype
        Of the residual stream.
    precision : torch.dtype
        The least precise of all: some models keep the stream in float32 and compute in half
        precision.
    sees_ahead : bool
        Whether a position holds something of a later one.
    score_scales : mapping of layer to float
        What q · k is divided by, in layers whose attention scores must be computed from q and k:
        their hook holds something else.
    late_patterns : frozenset of int
        Layers whose pattern is told after it was used: to change it there changes nothing.
    why_no_trace : str or None
        What keeps edges from being cut, in words.
    stream_adds_up : bool
        Whether what leaves each layer is the sum of what entered it and what its parts wrote.
    heads_add_up : bool
        Whether attention writes the sum of its heads' results and a bias.
    reads_stream : bool
        Whether the logits are the unembedding of the final norm.
    """

    widths: Mapping[Place, int]
    heads: Mapping[Place, int]
    dtype: torch.dtype
    precision: torch.dtype
    sees_ahead: bool
    score_scales: Mapping[int, float]
    late_patterns: frozenset[int]
    why_no_trace: str | None
    stream_adds_up: bool
    heads_add_up: bool
    reads_stream: bool


_known: WeakKeyDictionary[Any, Anatomy] = WeakKeyDictionary()


def anatomy(model: Model) -> Anatomy:
    """Return the anatomy of a model, which is run for it the first time.

    Raises
    ------
    ValueError
        Where the model cannot be run on rows of tokens.
    """
    with running(model):
        if model not in _known:
            _known[model] = _examined(model)
        return _known[model]


def _examined(model: Model) -> Anatomy:
    seen, logits = _one_run(model)
    count = int(model.cfg.n_layers)
    layers = [
        Layer(model, layer, {kind: seen.get((kind, layer)) for kind in LAYER_KINDS})
        for layer in range(count)
    ]
    widths, heads = {}, {}
    for (kind, at), activation in seen.items():
        misnamed = at is not None and kind in layers[at].misnamed
        if misnamed or not _is_in_place(model, kind, activation):
            continue
        widths[kind, at] = int(activation.shape[-1])
        if kind in HEAD_KINDS:
            heads[kind, at] = int(activation.shape[1 if kind in ATTENTION_KINDS else 2])
    order = {place: index for index, place in enumerate(seen)}
    late = {
        at
        for at in range(count)
        if order.get(("pattern", at), -1) > order.get(("z", at), len(order))
    }
    final = seen.get(("resid_post", count - 1))
    return Anatomy(
        widths,
        heads,
        (logits if final is None else final).dtype,
        min({logits.dtype, *(x.dtype for x in seen.values())}, key=lambda x: torch.finfo(x).bits),
        any(_sees_ahead(x) for (kind, _), x in seen.items() if kind == "resid_post"),
        {one.at: one.score_scale for one in layers if one.score_scale is not None},
        frozenset(late),
        _why_no_trace(model, layers),
        all(one.stream_adds_up for one in layers),
        all(one.heads_add_up for one in layers),
        final is not None and _reads_stream(model, final, logits),
    )


def _one_run(model: Model) -> tuple[dict[Place, Tensor], Tensor]:
    """Return what each kind's hook held, in the order in which they fired, and the logits.

    Of two rows of tokens that differ in the last one only.
    """
    seen: dict[Place, Tensor] = {}

    def keep(place: Place) -> Callable[..., None]:
        def write(activation: Any, hook: Any) -> None:
            if isinstance(activation, torch.Tensor) and place not in seen:
                seen[place] = activation.clone()

        return write

    layers = range(int(model.cfg.n_layers))
    places: list[Place] = [("embed", None), ("ln_final", None)]
    places += [(kind, layer) for layer in layers for kind in LAYER_KINDS if kind != "result"]
    names = {place: hook_name(model, *place) for place in places}
    hooks = [(name, keep(place)) for place, name in names.items() if name is not None]
    logits = _run(model, hooks)
    for layer in layers:
        w_o: Any = getattr(getattr(model.blocks[layer], "attn", None), "W_O", None)  # type: ignore[attr-defined]
        z = seen.get(("z", layer))
        if z is not None and z.ndim == 4 and getattr(w_o, "shape", ())[:2] == z.shape[2:]:
            # By its width result is z: it is stored in a basis of as many vectors.
            seen["result", layer] = z[..., : w_o.shape[2]]
    return seen, logits


def _run(model: Model, hooks: Sequence[tuple[str, Callable[..., Any]]]) -> Tensor:
    length = _length(model)
    first = max(0, min(length, int(model.cfg.d_vocab) - length - 1))
    tokens = torch.arange(first, first + length, device=getattr(model.cfg, "device", None))
    tokens = tokens.repeat(2, 1)
    tokens[1, -1] += 1
    try:
        with torch.no_grad(), evaluating(model):
            logits = model.run_with_hooks(tokens, fwd_hooks=hooks)
    except (
        AttributeError,
        IndexError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        TypeError,
    ) as error:
        raise ValueError(
            f"{type(model).__name__} cannot be run on a row of tokens, so nothing can be captured "
            f"from it: {error}"
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.ndim != 3:
        raise ValueError(
            f"{type(model).__name__} returns no logits for each position of a row of tokens: give "
            "a model with a language modeling head."
        )
    return logits


def _length(model: Model) -> int:
    heads = (model.cfg.n_heads, getattr(model.cfg, "n_key_value_heads", None))
    fitting = [length for length in _TOKENS if length not in heads]
    return min(fitting[0], int(model.cfg.n_ctx))


def _is_in_place(model: Model, kind: str, activation: Tensor) -> bool:
    """Whether an activation has its positions, and heads, where such kinds have them."""
    t = _length(model)
    if kind in ATTENTION_KINDS:
        return activation.ndim == 4 and activation.shape[2:] == (t, t)
    return activation.ndim == (4 if kind in HEAD_KINDS else 3) and activation.shape[1] == t


def _sees_ahead(activation: Tensor) -> bool:
    """Whether the first position differs where only the last token does."""
    return activation.shape[1] > 1 and not close(activation[0, 0], activation[1, 0])


def _reads_stream(model: Any, final: Tensor, logits: Tensor) -> bool:
    if not hasattr(model, "ln_final") or not hasattr(model, "unembed"):
        return False
    with torch.no_grad(), evaluating(model):
        return close(unembedded(model, model.ln_final(final)), logits)


def unembedded(model: Any, normed: Tensor) -> Tensor:
    """Return the logits of what the final norm gives, with the model's cap or scale of logits."""
    # Some models keep the stream in float32 and the unembedding in half precision.
    logits: Tensor = model.unembed(normed.to(model.W_U.dtype))
    after = getattr(getattr(model, "adapter", None), "apply_output_logits_transform", None)
    return logits if after is None else after(logits)


def _why_no_trace(model: Model, layers: Sequence[Layer]) -> str | None:
    for one in layers:
        reason = one.why_no_trace
        if reason is not None:
            return reason
    has_mlp = hook_name(model, "mlp_out", 0) is not None
    if has_mlp and hook_name(model, "resid_mid", 0) is None and _mlp_reads_attention(model):
        return "its MLPs read what the attention wrote, and it has no hook where they read it"
    return None


def _mlp_reads_attention(model: Model) -> bool:
    """Whether what the first MLP writes changes with what the attention before it writes."""
    written: list[Tensor] = []
    keep = ("blocks.0.hook_mlp_out", lambda x, hook: written.append(x.clone()))
    _run(model, [keep])
    _run(model, [("blocks.0.hook_attn_out", lambda x, hook: 2 * x + 1), keep])
    return not close(*written)
