"""Machines: transformers of TransformerLens whose weights are set by hand.

The residual stream is divided into subspaces, one for each variable. Embeddings write the token and
the position as one-hot vectors; heads and neurons read some subspaces and write to others. There is
no normalization, so that what is written stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tests.conftest import make_native

Vector = npt.NDArray[np.float64]

SURE = 400.0
"""A difference of attention scores after which the softmax is exactly 0 or 1."""
SHUT = 50.0
"""What keeps a neuron at 0 at the positions that it is not for."""


class Machine:
    """A transformer to be put together.

    Parameters
    ----------
    tokens : int
        Size of the vocabulary, answers included.
    length : int
        Number of positions.
    spaces : mapping of name to int
        Subspaces of the residual stream and their dimensions, beside ``token`` and ``position``.
    layers, heads, d_head : int
    causal : bool
    """

    def __init__(
        self,
        tokens: int,
        length: int,
        spaces: Mapping[str, int],
        *,
        layers: int = 2,
        heads: int = 2,
        d_head: int = 12,
        causal: bool = True,
    ) -> None:
        self.length, self.causal = length, causal
        self._tokens, self._layers, self._heads, self._d_head = tokens, layers, heads, d_head
        self._starts: dict[str, int] = {}
        self._sizes = {"token": tokens, "position": length, **spaces}
        self._width = 0
        for name, size in self._sizes.items():
            self._starts[name] = self._width
            self._width += size
        self._scores: dict[tuple[int, int], list[tuple[Vector, Vector]]] = {}
        self._moves: dict[tuple[int, int], list[tuple[Vector, Vector]]] = {}
        self._neurons: dict[int, list[tuple[Vector, float, Vector]]] = {}
        self._logits: dict[int, tuple[Vector, float]] = {}

    def at(self, space: str, values: Mapping[int, float] | Sequence[int] | int = 0) -> Vector:
        """Return a direction in a subspace: one of its dimensions, several, or weights of them."""
        vector = np.zeros(self._width)
        if isinstance(values, int):
            values = [values]
        weights = values if isinstance(values, Mapping) else dict.fromkeys(values, 1.0)
        for index, weight in weights.items():
            vector[self._starts[space] + index] = weight
        return vector

    def attend(self, layer: int, head: int, pairs: Sequence[tuple[Vector, Vector]]) -> None:
        """Let a head's score be the sum of products of what two positions hold there."""
        self._scores[layer, head] = list(pairs)

    def look(self, layer: int, head: int, targets: Mapping[int, int]) -> None:
        """Let a head look from some positions to one each."""
        self.attend(
            layer,
            head,
            [
                (SURE * self.at("position", source), self.at("position", target))
                for source, target in targets.items()
            ],
        )

    def move(self, layer: int, head: int, pairs: Sequence[tuple[Vector, Vector]]) -> None:
        """Let a head read and write."""
        self._moves[layer, head] = list(pairs)

    def copy(self, layer: int, head: int, source: str, target: str, size: int) -> None:
        """Let a head copy a subspace to another one."""
        self.move(layer, head, [(self.at(source, i), self.at(target, i)) for i in range(size)])

    def neuron(
        self, layer: int, read: Vector, bias: float, write: Vector, where: int | None = None
    ) -> None:
        """Add ``relu(read · x + bias)`` times `write`; where given, at one position only."""
        if where is not None:
            read, bias = read + SHUT * self.at("position", where), bias - SHUT
        self._neurons.setdefault(layer, []).append((read, bias, write))

    def step(
        self, layer: int, read: Vector, low: float, write: Vector, where: int | None = None
    ) -> None:
        """Add `write`, times 0 up to `low`, times 1 from ``low + 1`` on."""
        self.neuron(layer, read, -low, write, where)
        self.neuron(layer, read, -low - 1, -write, where)

    def one_hot(
        self, layer: int, read: Vector, values: range, space: str, where: int | None = None
    ) -> None:
        """Write which of some whole numbers is read; a space has as much room below 0 as above."""
        below = self._sizes[space] // 2 if values[0] < 0 else 0
        for index, value in ((value + below, value) for value in values):
            self.step(layer, read, value - 1, self.at(space, index), where)
            self.step(layer, read, value, -self.at(space, index), where)

    def logit(self, token: int, read: Vector, bias: float = 0.0) -> None:
        """Let a token's logit be what is read."""
        self._logits[token] = (read, bias)

    def model(self, noise: float = 0.0) -> Any:
        """Return the model.

        Parameters
        ----------
        noise : float
            Standard deviation of what is added to all weights. Heads and MLPs that do nothing then
            read at full size, and write so little.
        """
        model = make_native(
            n_layers=self._layers,
            n_heads=self._heads,
            d_model=self._width,
            d_head=self._d_head,
            d_mlp=max([4, *map(len, self._neurons.values())]),
            d_vocab=self._tokens,
            n_ctx=self.length,
            normalization_type=None,
            attention_dir="causal" if self.causal else "bidirectional",
        )
        weights = {name: np.zeros(tuple(w.shape)) for name, w in model.state_dict().items()}
        weights["embed.weight"][:, : self._tokens] = np.eye(self._tokens)
        where = slice(self._tokens, self._tokens + self.length)
        weights["pos_embed.weight"][:, where] = np.eye(self.length)
        for (layer, head), scores in self._scores.items():
            assert len(scores) <= self._d_head
            for row, (query, key) in zip(self._rows(head), scores, strict=False):
                weights[f"blocks.{layer}.attn.q.weight"][row] = query * np.sqrt(self._d_head)
                weights[f"blocks.{layer}.attn.k.weight"][row] = key
        for (layer, head), moves in self._moves.items():
            assert len(moves) <= self._d_head
            for row, (read, write) in zip(self._rows(head), moves, strict=False):
                weights[f"blocks.{layer}.attn.v.weight"][row] = read
                weights[f"blocks.{layer}.attn.o.weight"][:, row] = write
        for layer, neurons in self._neurons.items():
            for row, (read, bias, write) in enumerate(neurons):
                weights[f"blocks.{layer}.mlp.in.weight"][row] = read
                weights[f"blocks.{layer}.mlp.in.bias"][row] = bias
                weights[f"blocks.{layer}.mlp.out.weight"][:, row] = write
        for token, (read, bias) in self._logits.items():
            weights["unembed.weight"][token], weights["unembed.bias"][token] = read, bias
        # A token that is no answer is not given.
        silent = [token for token in range(self._tokens) if token not in self._logits]
        weights["unembed.bias"][silent] = -100
        if noise:
            self._add_noise(weights, noise)
        tensors = {name: torch.tensor(w, dtype=torch.float32) for name, w in weights.items()}
        model.load_state_dict(tensors)
        return model.eval()

    def _of(self, head: int) -> slice:
        return slice(head * self._d_head, (head + 1) * self._d_head)

    def _rows(self, head: int) -> range:
        return range(self._heads * self._d_head)[self._of(head)]

    def _add_noise(self, weights: dict[str, Vector], noise: float) -> None:
        rng = np.random.default_rng(0)
        for weight in weights.values():
            weight += noise * rng.standard_normal(weight.shape)
        for layer in range(self._layers):
            idle = [h for h in range(self._heads) if (layer, h) not in self._moves]
            for head in idle:
                reading = weights[f"blocks.{layer}.attn.v.weight"][self._of(head)]
                reading += rng.standard_normal(reading.shape) / np.sqrt(self._d_head)
            if layer not in self._neurons:
                reading = weights[f"blocks.{layer}.mlp.in.weight"]
                reading += rng.standard_normal(reading.shape) / np.sqrt(len(reading))
