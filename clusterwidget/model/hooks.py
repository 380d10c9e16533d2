"""Where a model's stages are found: from TransformerLens's surface to stages. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from clusterwidget.core.inputs import Inputs

_SURFACE = ("cfg", "hook_dict", "run_with_cache", "run_with_hooks")
_SIZES = ("n_layers", "n_heads", "d_model", "d_head", "d_vocab", "n_ctx")

# Where two names are given, bridges have the first and older models the second.
_MODEL_HOOKS = {
    "embed": ("hook_embed", "embed.hook_out"),
    "ln_final": ("ln_final.hook_out", "ln_final.hook_normalized"),
}
_LAYER_HOOKS = {
    "q": "attn.hook_q",
    "k": "attn.hook_k",
    "v": "attn.hook_v",
    "attn_scores": "attn.hook_attn_scores",
    "pattern": "attn.hook_pattern",
    "z": "attn.hook_z",
    "result": "attn.hook_z",
    "mlp_pre": "mlp.hook_pre",
    "mlp_post": "mlp.hook_post",
}


class Model(Protocol):
    """What a model needs: the surface of TransformerLens's models that captures rely on."""

    @property
    def cfg(self) -> Any:
        """The configuration: sizes, and what the attention is like."""

    @property
    def hook_dict(self) -> Mapping[str, Any]:
        """Every hook by its name."""

    def run_with_cache(self, *args: Any, **kwargs: Any) -> Any:
        """Run and return the activations as well."""

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """Run with functions attached to hooks."""


def checked_model(model: Any) -> Model:
    """Return the model, or raise a TypeError that says which part of the surface it lacks."""
    missing = [name for name in _SURFACE if not hasattr(model, name)]
    if not missing:
        missing = [f"cfg.{name}" for name in _SIZES if getattr(model.cfg, name, None) is None]
    if missing:
        raise TypeError(
            f"{type(model).__name__} lacks {', '.join(missing)}, which TransformerLens's models "
            "have. Wrap it with TransformerBridge.boot_transformers(...), or pass activations that "
            "you captured yourself: Explorer(examples=examples, activations={'L0.z@0': array})."
        )
    if "blocks.0.hook_resid_post" not in model.hook_dict:
        both = "decoder_blocks.0.hook_resid_post" in model.hook_dict
        raise TypeError(
            f"{model_name(model)} "
            + ("has an encoder and a decoder" if both else "has no residual stream in its hooks")
            + ", and a stage is a place in one stack of layers: capture it yourself and pass the "
            "activations, Explorer(examples=examples, activations={'L0.resid_post@0': array})."
        )
    return model  # type: ignore[no-any-return]


def model_name(model: Any) -> str:
    """Return what a model is called by the library that it comes from."""
    return str(getattr(model.cfg, "architecture", None) or type(model).__name__)


def is_causal(model: Model) -> bool:
    """Tell whether each position sees only itself and those before it."""
    return bool(getattr(model.cfg, "attention_dir", "causal") == "causal")


def check_inputs(model: Model, inputs: Inputs) -> None:
    """Raise ValueError where the model cannot read the tokens."""
    tokens = inputs.tokens
    if inputs.width > model.cfg.n_ctx:
        raise ValueError(
            f"the examples are {inputs.width} tokens long, the model's context is "
            f"{model.cfg.n_ctx}: shorten them."
        )
    if tokens.max() >= model.cfg.d_vocab:
        raise ValueError(
            f"token {tokens.max()} is not in the model's vocabulary of {model.cfg.d_vocab:,}: were "
            "the examples tokenized for this model?"
        )


def hook_name(model: Model, kind: str, layer: int | None) -> str | None:
    """Return the name of the hook from which a kind is captured; None where there is none."""
    if layer is None:
        return next((name for name in _MODEL_HOOKS[kind] if name in model.hook_dict), None)
    name = f"blocks.{layer}.{_LAYER_HOOKS.get(kind, 'hook_' + kind)}"
    return name if name in model.hook_dict else None
