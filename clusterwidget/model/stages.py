"""The stages of a model: those whose hooks fire and hold what they are called by."""

from __future__ import annotations

from collections.abc import Sequence

from clusterwidget.core.stages import ATTENTION_KINDS, HEAD_KINDS, LAYER_KINDS, StageRow, StageSet
from clusterwidget.model.anatomy import Anatomy, anatomy
from clusterwidget.model.hooks import Model, is_causal


def model_stages(model: Model, positions: Sequence[str]) -> StageSet:
    """Return the stages of a model on inputs with these positions.

    Raises
    ------
    ValueError
        Where the model cannot be run, or is not as its configuration says.
    """
    known = anatomy(model)
    causal = is_causal(model)
    if causal and known.sees_ahead:
        raise ValueError(
            f"the configuration of this {type(model).__name__} says that positions see only those "
            "before them, and they see those after them as well: set model.cfg.attention_dir = "
            "'bidirectional'."
        )
    t = len(positions)
    rows = []
    for kind, layer in [
        ("embed", None),
        *((kind, layer) for layer in range(int(model.cfg.n_layers)) for kind in LAYER_KINDS),
        ("ln_final", None),
    ]:
        if (kind, layer) not in known.widths:
            continue
        widths = _widths(known, kind, layer, t, causal=causal)
        heads = range(known.heads[kind, layer]) if kind in HEAD_KINDS else (None,)
        rows += [StageRow(kind, layer, head, widths) for head in heads]
    vocabulary = int(getattr(model.cfg, "d_vocab_out", None) or model.cfg.d_vocab)
    return StageSet([*rows, StageRow("logits", None, None, (vocabulary,) * t)], positions)


def _widths(
    known: Anatomy, kind: str, layer: int | None, t: int, *, causal: bool
) -> tuple[int, ...]:
    if kind == "attn_scores" and causal:
        # What lies ahead is masked with -inf: only the scores of what can be seen are numbers.
        return tuple(range(1, t + 1))
    if kind in ATTENTION_KINDS:
        return (t,) * t
    return (known.widths[kind, layer],) * t
