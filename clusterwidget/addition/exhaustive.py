"""All 10^8 problems through the model, computing what problems share only once."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear
from transformer_lens.model_bridge import TransformerBridge

from . import arithmetic

_STEM = arithmetic.POSITIONS.index("R3")
_LEAF = arithmetic.POSITIONS.index("R0")


class _Affine(NamedTuple):
    weight: Tensor
    bias: Tensor


class _Layer(NamedTuple):
    ln1: _Affine
    qkv: _Affine
    o: _Affine
    ln2: _Affine
    mlp_in: _Affine
    mlp_out: _Affine


class _Past(NamedTuple):
    """What later positions read of earlier ones: every layer's keys and values.

    One tensor a layer, each of shape (rows, heads, positions, d_head).
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    def rows(self, start: int, stop: int) -> _Past:
        return _Past(
            tuple(key[start:stop] for key in self.keys),
            tuple(value[start:stop] for value in self.values),
        )


def least_margin(logits: Tensor, right_digits: Tensor) -> Tensor:
    """Return by how much each problem is right; not above 0 where it is wrong.

    Parameters
    ----------
    logits : (..., 5, d_vocab) float
        At the answer positions.
    right_digits : (..., 5) int64

    Returns
    -------
    (...) float
        The right digit's logit less the best other token's, at whichever answer that is least.
    """
    wanted = right_digits[..., None]
    best_other = logits.scatter(-1, wanted, -math.inf).amax(-1, keepdim=True)
    return (logits.gather(-1, wanted) - best_other).squeeze(-1).amin(-1)


class ProblemTree:
    """A model's margins on all problems with given left numbers.

    In a causal model the keys and values of a position depend on the tokens up to it and on
    nothing after it. So the problems are run as a tree: the positions ``L3 L2 L1 L0 +`` once for
    10,000 problems, ``R3`` once for 1,000, ``R2`` once for 100 and ``R1`` once for 10; only
    ``R0 = S4 S3 S2 S1`` are run for each problem. What depends on one token and its position
    alone (the embedding and the first layer's q, k, v) comes from a table, and in the last layer
    the positions without an answer stop at their keys and values. Nothing is approximated: this
    is the model's own float32 arithmetic, summed in another order.

    Parameters
    ----------
    model : TransformerBridge
        What `load_model` returns, or one of the same `Config` family.
    block : int
        How many leaves of the tree, of 10 problems each, to run at a time.
    """

    def __init__(self, model: TransformerBridge, block: int = 50) -> None:
        self._block = block
        self._eps = float(model.cfg.eps)
        self._heads, self._d_head = int(model.cfg.n_heads), int(model.cfg.d_head)
        weights = {name: weight.detach() for name, weight in model.state_dict().items()}
        self._layers = [
            self._layer(weights, f"blocks.{layer}") for layer in range(int(model.cfg.n_layers))
        ]
        self._ln_final = _Affine(weights["ln_final.weight"], weights["ln_final.bias"])
        self._unembed = weights["unembed.weight"]
        embed, positional = weights["embed.weight"], weights["pos_embed.weight"]
        self._vocabulary = len(embed)
        self._embedded = (positional[:, None] + embed).flatten(0, 1)
        first = self._layers[0]
        self._first_qkv = linear(self._normalized(self._embedded, first.ln1), *first.qkv)
        self._digits = torch.arange(10, device=embed.device)

    @torch.inference_mode()
    def margins(self, left: Tensor) -> Tensor:
        """Return how far each problem is from a wrong answer.

        Parameters
        ----------
        left : (m,) int64
            The numbers on the left, 0 to 9999.

        Returns
        -------
        (m, 10000) float32
            `least_margin` of ``left + 0`` to ``left + 9999``.
        """
        past = self._stem(left)
        right = torch.arange(arithmetic.NUMBERS, device=left.device)
        tails = self._tails(left[:, None] + right)
        nodes = len(past.keys[0])
        least = torch.empty(nodes, 10, device=left.device)
        for start in range(0, nodes, self._block):
            stop = min(start + self._block, nodes)
            sums = tails[start:stop]
            tokens = torch.cat([self._right_end(stop - start), sums[..., :-1]], dim=2)
            logits = self._logits(past.rows(start, stop), tokens)
            least[start:stop] = least_margin(logits, sums)
        return least.view(len(left), arithmetic.NUMBERS)

    def _stem(self, left: Tensor) -> _Past:
        """Everything up to ``R1``: 1,000 rows for each left number."""
        powers = torch.tensor([1000, 100, 10, 1], device=left.device)
        plus = torch.full_like(left, arithmetic.PLUS)[:, None]
        tokens = torch.cat([left[:, None] // powers % 10, plus], dim=1)[:, None]
        nothing = left.new_empty((len(left), self._heads, 0, self._d_head), dtype=torch.float32)
        empty = (nothing,) * len(self._layers)
        past = self._extended(_Past(empty, empty), tokens)
        for _ in range(_STEM, _LEAF):
            rows = len(past.keys[0])
            past = self._extended(past, self._digits.view(1, 10, 1).expand(rows, 10, 1))
        return past

    def _tails(self, sums: Tensor) -> Tensor:
        """Digits ``S4`` to ``S0`` of the sums, ten problems a row: (m * 1000, 10, 5)."""
        powers = torch.tensor([10000, 1000, 100, 10, 1], device=sums.device)
        return (sums[..., None] // powers % 10).view(-1, 10, len(powers))

    def _right_end(self, rows: int) -> Tensor:
        """Tokens ``R0 =`` of ten problems each: (rows, 10, 2)."""
        equals = torch.full_like(self._digits, arithmetic.EQUALS)
        return torch.stack([self._digits, equals], dim=1).expand(rows, 10, 2)

    def _extended(self, past: _Past, tokens: Tensor) -> _Past:
        """Run new positions, and return the past of what comes after them.

        Parameters
        ----------
        past : _Past of n rows
        tokens : (n, children, t) ints
            Each row's own continuations.

        Returns
        -------
        _Past of n * children rows
        """
        children = tokens.shape[1]
        keys, values = [], []
        residual, qkv = self._looked_up(tokens, position=past.keys[0].shape[2])
        for index, layer in enumerate(self._layers):
            if index:
                qkv = self._qkv(residual, layer)
            q, k, v = qkv
            old_key, old_value = past.keys[index], past.values[index]
            keys.append(_grown(old_key, k, children))
            values.append(_grown(old_value, v, children))
            if index + 1 < len(self._layers):
                residual = self._through(residual, self._z(q, k, v, old_key, old_value), layer)
        return _Past(tuple(keys), tuple(values))

    def _logits(self, past: _Past, tokens: Tensor) -> Tensor:
        """Logits at the answer positions: (n, 10, 5, d_vocab) for tokens (n, 10, 6)."""
        residual, qkv = self._looked_up(tokens, position=_LEAF)
        for index, layer in enumerate(self._layers):
            if index:
                qkv = self._qkv(residual, layer)
            q, k, v = qkv
            if index + 1 == len(self._layers):
                answers = arithmetic.FIRST_ANSWER - _LEAF
                q, residual = q[..., answers:, :], residual[..., answers:, :]
            z = self._z(q, k, v, past.keys[index], past.values[index])
            residual = self._through(residual, z, layer)
        return linear(self._normalized(residual, self._ln_final), self._unembed)

    def _looked_up(self, tokens: Tensor, position: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Residual (n, children, t, d_model) and first layer's q, k, v of new positions."""
        positions = torch.arange(position, position + tokens.shape[2], device=tokens.device)
        index = positions * self._vocabulary + tokens
        return self._embedded[index], self._by_head(self._first_qkv[index])

    def _qkv(self, residual: Tensor, layer: _Layer) -> tuple[Tensor, ...]:
        return self._by_head(linear(self._normalized(residual, layer.ln1), *layer.qkv))

    def _by_head(self, qkv: Tensor) -> tuple[Tensor, ...]:
        """Split (n, children, t, 3 * d_model) into three of (n, heads, children, t, d_head)."""
        split = qkv.view(*qkv.shape[:-1], 3, self._heads, self._d_head)
        return torch.unbind(split.permute(3, 0, 4, 1, 2, 5).contiguous())

    def _z(self, q: Tensor, k: Tensor, v: Tensor, old_key: Tensor, old_value: Tensor) -> Tensor:
        """Attend from the last new positions to the past and, causally, to the new ones.

        The past is the same for all children of a row, so it is one matrix product a row.

        Returns
        -------
        (n, children, queries, heads * d_head)
        """
        queries, new = q.shape[3], k.shape[3]
        old_scores = (q.flatten(2, 3) @ old_key.mT).view(*q.shape[:-1], -1)
        later = torch.ones(queries, new, dtype=torch.bool, device=q.device)
        new_scores = (q @ k.mT).masked_fill_(later.triu_(1 + new - queries), -math.inf)
        scores = torch.cat([old_scores, new_scores], dim=-1)
        # Several times quicker than softmax on the CPU where rows are this short.
        pattern = (scores - scores.amax(-1, keepdim=True)).exp_()
        pattern /= pattern.sum(-1, keepdim=True)
        old_pattern, new_pattern = pattern.tensor_split([old_key.shape[2]], dim=-1)
        z = (old_pattern.flatten(2, 3) @ old_value).view(q.shape) + new_pattern @ v
        return z.permute(0, 2, 3, 1, 4).flatten(3)

    def _through(self, residual: Tensor, z: Tensor, layer: _Layer) -> Tensor:
        """Add what the attention and the MLP write."""
        residual = residual + linear(z, *layer.o)
        hidden = linear(self._normalized(residual, layer.ln2), *layer.mlp_in).relu_()
        return residual.add_(linear(hidden, *layer.mlp_out))

    def _normalized(self, x: Tensor, norm: _Affine) -> Tensor:
        return layer_norm(x, x.shape[-1:], norm.weight, norm.bias, self._eps)

    def _layer(self, weights: dict[str, Tensor], name: str) -> _Layer:
        def affine(part: str) -> _Affine:
            return _Affine(weights[f"{name}.{part}.weight"], weights[f"{name}.{part}.bias"])

        q, k, v = affine("attn.q"), affine("attn.k"), affine("attn.v")
        # Dividing the queries by sqrt(d_head) here is dividing the scores by it.
        scale = math.sqrt(self._d_head)
        qkv = _Affine(
            torch.cat([q.weight / scale, k.weight, v.weight]),
            torch.cat([q.bias / scale, k.bias, v.bias]),
        )
        return _Layer(
            affine("ln1"),
            qkv,
            affine("attn.o"),
            affine("ln2"),
            affine("mlp.in"),
            affine("mlp.out"),
        )


def _grown(old: Tensor, new: Tensor, children: int) -> Tensor:
    """Append new (n, heads, children, t, d) to old (n, heads, p, d), one row for each child."""
    repeated = old[:, None].expand(-1, children, -1, -1, -1)
    return torch.cat([repeated, new.transpose(1, 2)], dim=3).flatten(0, 1)
