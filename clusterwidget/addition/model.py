"""The model that adds: its shape, and its weights on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from transformer_lens.config import TransformerBridgeConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources import native

from clusterwidget.core.checks import shown
from clusterwidget.core.files import write_whole

from .arithmetic import POSITIONS, VOCABULARY

_METADATA = "adder"


@dataclass(frozen=True)
class Config:
    """Shape of a model that adds."""

    n_layers: int = 2
    n_heads: int = 4
    d_model: int = 64
    d_head: int = 16
    d_mlp: int = 256
    act_fn: str = "relu"
    normalization_type: str = "LN"
    n_ctx: int = len(POSITIONS)
    d_vocab: int = len(VOCABULARY)


def build(
    config: Config, seed: int = 0, device: str | torch.device | None = None
) -> TransformerBridge:
    """Return an untrained model, its weights drawn from the seed (``boot_native``)."""
    return native.boot(TransformerBridgeConfig(**asdict(config), seed=seed), device=device)


def read_model(path: Path, device: str | torch.device | None = None) -> TransformerBridge:
    """Return a model that `save_model` wrote.

    Raises
    ------
    FileNotFoundError, ValueError
        Where there is no such file, it holds something else, or its weights do not match its
        config.
    """
    weights, about = _contents(path)
    try:
        config = Config(**about["config"])
    except TypeError as error:
        raise ValueError(f"{path} has a config that is not understood: {error}.") from error
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not isinstance(device, (str, torch.device)):
        raise TypeError(f"device must be a string such as 'cpu' or 'cuda:0', not {shown(device)}.")
    try:
        device = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"there is no device {shown(device)}: give 'cpu', or 'cuda' where there is a GPU."
        ) from error
    model = build(config, device=device)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise ValueError(
                f"the weights in {path} do not match their config {about['config']}: {name!r} is "
                f"{found.get(name, 'absent')} and should be {wanted.get(name, 'absent')}. "
                "Make the file again with `clusterwidget train`."
            )
    model.load_state_dict(weights)
    return model.eval()


def read_recipe(path: Path) -> dict[str, Any]:
    """Return the record of how the weights in a file were trained."""
    recipe: dict[str, Any] = _contents(path)[1]["recipe"]
    return recipe


def save_model(
    path: Path, model: TransformerBridge, config: Config, recipe: dict[str, Any]
) -> None:
    """Write weights, config and the recipe's record to one safetensors file."""
    # One entry, since safetensors writes several in an order that changes from run to run.
    about = {_METADATA: json.dumps({"config": asdict(config), "recipe": recipe})}
    weights = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    write_whole(path, save(weights, metadata=about))


def fingerprint(model: TransformerBridge) -> str:
    """SHA-256 of the weights, names and shapes included: what tells two models apart."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _contents(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights, and what is said about them: ``config`` and ``recipe``."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()[_METADATA])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"there are no weights at {path}. Make them with `clusterwidget train`."
        ) from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not a file of weights that `clusterwidget train` wrote: {error}."
        ) from error
