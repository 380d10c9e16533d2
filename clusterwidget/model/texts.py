"""How a model takes texts: its tokenizer, what texts begin with, and how long they may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clusterwidget.core.checks import shown
from clusterwidget.model.hooks import checked_model
from clusterwidget.model.lazy import is_function


@dataclass(frozen=True)
class Reader:
    """How a model takes texts.

    Attributes
    ----------
    tokenizer : tokenizer
    prepend_bos : bool or None
        None leaves it to the tokenizer.
    context : int or None
        The most tokens that the model can read.
    """

    tokenizer: Any
    prepend_bos: bool | None
    context: int | None


def reader_of(model: Any, tokenizer: Any, prepend_bos: bool | None, chat_template: Any) -> Reader:
    """Return how a model takes texts.

    Parameters
    ----------
    model : Model, or function that returns one
    tokenizer : tokenizer or None
        In place of the model's own.
    prepend_bos : bool or None
        In place of what the model's settings say.
    chat_template
        With one, what texts begin with is the template's.

    Raises
    ------
    TypeError
        For what is no model, and where there is no tokenizer.
    """
    if isinstance(model, str):
        raise TypeError(
            f"model must be a model, not a name, {shown(model)}: nothing is looked up by name "
            f"here. Load it first: TransformerBridge.boot_transformers({shown(model)}), which "
            "without a network takes hf_model= and tokenizer=, loaded from a folder."
        )
    if is_function(model):
        if tokenizer is None:
            raise TypeError(
                "model is a function, which is called when the model is needed, and texts need a "
                "tokenizer now: pass tokenizer=, or the model itself."
            )
        return Reader(tokenizer, prepend_bos, None)
    cfg = checked_model(model).cfg
    own = getattr(model, "tokenizer", None)
    if tokenizer is None and own is None:
        raise TypeError(
            f"{type(model).__name__} has no tokenizer: pass tokenizer=, or examples of tokens: "
            "Explorer(model, Examples(tokens))."
        )
    if (
        prepend_bos is None
        and tokenizer is None
        and (chat_template is None or chat_template is False)
    ):
        # As in TransformerLens's own to_tokens.
        prepend_bos = bool(getattr(cfg, "default_prepend_bos", True))
    return Reader(own if tokenizer is None else tokenizer, prepend_bos, int(cfg.n_ctx))
