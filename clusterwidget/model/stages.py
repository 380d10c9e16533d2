"""The stages of a model: those whose hooks fire and hold what they are called by."""

from __future__ import annotations

from collections.abc import Sequence

from clusterwidget.core.inputs import Layout
from clusterwidget.core.stages import ATTENTION_KINDS, HEAD_KINDS, LAYER_KINDS, StageRow, StageSet
from clusterwidget.model.anatomy import Anatomy, anatomy
from clusterwidget.model.hooks import Model, is_causal


def model_stages(model: Model, positions: Sequence[str], layout: Layout | None = None) -> StageSet:
    """Return the stages of a model on inputs with these positions, laid out like that.

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
        if layout is not None:
            widths = _laid_out(kind, widths, layout, causal=causal)
        heads = range(known.heads[kind, layer]) if kind in HEAD_KINDS else (None,)
        rows += [StageRow(kind, layer, head, widths) for head in heads]
    vocabulary = int(getattr(model.cfg, "d_vocab_out", None) or model.cfg.d_vocab)
    widths = (vocabulary,) * t
    if layout is not None:
        widths = _laid_out("logits", widths, layout, causal=causal)
    return StageSet([*rows, StageRow("logits", None, None, widths)], positions, layout)


def _widths(
    known: Anatomy, kind: str, layer: int | None, t: int, *, causal: bool
) -> tuple[int, ...]:
    if kind == "attn_scores" and causal:
        # What lies ahead is masked with -inf: only the scores of what can be seen are numbers.
        return tuple(range(1, t + 1))
    if kind in ATTENTION_KINDS:
        return (t,) * t
    return (known.widths[kind, layer],) * t


def _laid_out(
    kind: str, widths: tuple[int, ...], layout: Layout, *, causal: bool
) -> tuple[int, ...]:
    """Return the widths where positions are other tokens in each example; 0 where one has none.

    The pattern and the scores hold what is attended to at the positions with names.
    """
    found = [0] * len(widths)
    for column in layout.present:
        found[column] = widths[column]
        if kind == "attn_scores" and causal:
            found[column] = len(layout.seen(column))
        elif kind in ATTENTION_KINDS:
            found[column] = len(layout.present)
    return tuple(found)
