"""Programs of bidirectional machines: reverse, and sort."""

from __future__ import annotations

import numpy as np

from clusterwidget import Answer, Examples
from tests.compiled.machine import Machine
from tests.compiled.programs import N, Program, distractors, names, written


def reverse() -> Program:
    """Answer at each position with the token at the mirrored one; another head looks beside."""
    kinds, t, first = 6, 5, 6
    m = Machine(first + kinds, t, {"mirrored": kinds, "next": kinds}, causal=False)
    m.look(0, 0, {i: t - 1 - i for i in range(t)})
    m.copy(0, 0, "token", "mirrored", kinds)
    m.look(1, 1, {i: (i + 1) % t for i in range(t)})
    m.copy(1, 1, "token", "next", kinds)
    for token in range(kinds):
        m.logit(first + token, 10 * m.at("mirrored", token))
    rng = np.random.default_rng(6)
    tokens = rng.integers(0, kinds, (N, t))
    concepts = {f"tok{i}": tokens[:, i] for i in range(t)} | distractors(rng)
    concepts |= {f"odd{i}": tokens[:, i] % 2 for i in range(t)}
    concepts |= {f"alike{i}": (tokens[:, i] == tokens[:, -1 - i]).astype(int) for i in range(2)}
    holds: dict[str, str] = {}
    for i in range(t):
        holds |= {f"embed@p{i}": f"tok{i}"}
        holds |= dict.fromkeys(written(0, 0, f"p{i}"), f"tok{t - 1 - i}")
        holds |= dict.fromkeys(written(1, 1, f"p{i}"), f"tok{(i + 1) % t}")
    rules = [lambda tok4: first + tok4, lambda tok3: first + tok3]
    answers = [Answer(f"out{i}", f"p{i}", rule=rule) for i, rule in enumerate(rules)]
    return Program(
        m,
        Examples(tokens, positions=names(t), concepts=concepts, answers=answers),
        holds,
        [
            ("L0H0.result@p0", "tok4", "out0"),
            ("L0.attn_out@p1", "tok3", "out1"),
            ("embed@p4", "tok4", "out0"),
            ("embed@p3", "tok3", "out1"),
        ],
        [
            ("embed@p2", "tok2"),
            ("L1H1.result@p0", "tok1"),
            ("L0H0.result@p4", "tok0"),
            ("L1H1.result@p2", "tok3"),
        ],
    )


def sort() -> Program:
    """Sort three numbers: count each, then see how many are no larger."""
    kinds, t, first = 5, 3, 5
    m = Machine(first + kinds, t, {"share": kinds, "rank": kinds}, causal=False)
    m.copy(0, 0, "token", "share", kinds)
    for rank in range(t):
        for number in range(kinds):
            no_larger = 3 * m.at("share", range(number + 1))
            m.step(0, no_larger, rank, m.at("rank", number), rank)
            if number < kinds - 1:
                m.step(0, no_larger, rank, -m.at("rank", number + 1), rank)
    for number in range(kinds):
        m.logit(first + number, 10 * m.at("rank", number))
    rng = np.random.default_rng(7)
    tokens = rng.integers(0, kinds, (N, t))
    ranked = np.sort(tokens, axis=1)
    concepts = {f"tok{i}": tokens[:, i] for i in range(t)} | distractors(rng)
    concepts |= {"low": ranked[:, 0], "middle": ranked[:, 1], "high": ranked[:, 2]}
    concepts |= {
        "multiset": 25 * ranked[:, 0] + 5 * ranked[:, 1] + ranked[:, 2],
        "sum": tokens.sum(axis=1),
    }
    concepts |= {"range": ranked[:, 2] - ranked[:, 0]}
    holds: dict[str, str] = {}
    for i, name in enumerate(("low", "middle", "high")):
        holds |= {f"embed@p{i}": f"tok{i}", f"L0.mlp_out@p{i}": name}
        holds |= dict.fromkeys(written(0, 0, f"p{i}"), "multiset")
    lowest = [lambda low: first + low, lambda multiset: first + multiset // 25]
    highest = [lambda high: first + high, lambda multiset: first + multiset % 5]
    middle = [lambda middle: first + middle, lambda multiset: first + multiset // 5 % 5]
    rules = {"first": lowest, "second": middle, "third": highest}
    answers = [Answer(name, f"p{i}", rule=rule) for i, (name, rule) in enumerate(rules.items())]
    return Program(
        m,
        Examples(tokens, positions=names(t), concepts=concepts, answers=answers),
        holds,
        [
            ("L0.mlp_out@p0", "low", "first"),
            ("L0.mlp_out@p1", "middle", "second"),
            ("L0H0.result@p2", "multiset", "third"),
        ],
        [],
    )
