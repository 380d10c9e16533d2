"""Programs of causal machines: count, appears before, carry, brackets, and two parts."""

from __future__ import annotations

import numpy as np

from clusterwidget import Answer, Examples
from tests.compiled.machine import SURE, Machine
from tests.compiled.programs import N, Program, distractors, names, written


def count() -> Program:
    """Count a token so far, from its share; another head counts another token for nobody."""
    t, first = 6, 3
    m = Machine(first + t + 1, t, {"share": 1, "other": 1, "count": t + 1})
    m.move(0, 0, [(m.at("token", 0), m.at("share"))])
    m.move(0, 1, [(m.at("token", 1), m.at("other"))])
    for where in range(t):
        m.one_hot(0, (where + 1) * m.at("share"), range(where + 2), "count", where)
    for value in range(t + 1):
        m.logit(first + value, 10 * m.at("count", value))
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, 3, (N, t))
    counts, others = np.cumsum(tokens == 0, axis=1), np.cumsum(tokens == 1, axis=1)
    concepts = {f"tok{i}": tokens[:, i] for i in range(t)} | distractors(rng)
    concepts |= {f"count{i}": counts[:, i] for i in range(t)}
    concepts |= {f"other{i}": others[:, i] for i in range(t)}
    holds = {f"embed@p{i}": f"tok{i}" for i in range(t)}
    for i in range(t):
        holds |= {f"L0H0.result@p{i}": f"count{i}", f"L0.mlp_out@p{i}": f"count{i}"}
        holds |= {f"L0H1.result@p{i}": f"other{i}"}
    answers = [
        Answer("third", "p2", rule=lambda count2: first + count2),
        Answer("last", "p5", rule=lambda count5: first + count5),
    ]
    return Program(
        m,
        Examples(tokens, positions=names(t), concepts=concepts, answers=answers),
        holds,
        [("L0H0.result@p5", "count5", "last"), ("L0.mlp_out@p2", "count2", "third")],
        [("L0H1.result@p5", "other5"), ("L0H1.result@p2", "other2")],
        [f"L0.attn_out@p{i}" for i in range(t)],
    )


def seen() -> Program:
    """Tell whether a token was there before; the next layer counts repeats for nobody."""
    kinds, t = 5, 6
    start, no, yes = kinds, kinds + 1, kinds + 2
    m = Machine(yes + 1, t, {"seen": 1, "repeats": 1})
    same = [(SURE * m.at("token", token), m.at("token", token)) for token in range(kinds)]
    itself = [(-2 * SURE * m.at("position", i), m.at("position", i)) for i in range(1, t)]
    default = (SURE / 2 * m.at("position", range(t)), m.at("token", start))
    m.attend(0, 0, [*same, *itself, default])
    m.move(0, 0, [(m.at("token", range(kinds)), m.at("seen"))])
    m.move(1, 1, [(m.at("seen"), m.at("repeats"))])
    m.logit(no, 0 * m.at("seen"), 10)
    m.logit(yes, 20 * m.at("seen"))
    rng = np.random.default_rng(2)
    tokens = rng.integers(0, kinds, (N, t))
    tokens[:, 0] = start
    there = np.stack(
        [(tokens[:, :i] == tokens[:, i : i + 1]).any(axis=1) for i in range(t)], axis=1
    )
    concepts = {f"tok{i}": tokens[:, i] for i in range(1, t)} | distractors(rng)
    concepts |= {f"seen{i}": there[:, i].astype(np.int64) for i in range(2, t)}
    concepts |= {f"repeats{i}": there[:, : i + 1].sum(axis=1) for i in range(2, t)}
    holds = {f"embed@p{i}": f"tok{i}" for i in range(1, t)}
    for i in range(2, t):
        holds |= dict.fromkeys(written(0, 0, f"p{i}"), f"seen{i}")
        holds |= dict.fromkeys(written(1, 1, f"p{i}"), f"repeats{i}")
    answers = [
        Answer("fourth", "p3", rule=lambda seen3: yes if seen3 else no),
        Answer("last", "p5", rule=lambda seen5: yes if seen5 else no),
    ]
    return Program(
        m,
        Examples(tokens, positions=names(t), concepts=concepts, answers=answers),
        holds,
        [("L0H0.result@p5", "seen5", "last"), ("L0.attn_out@p3", "seen3", "fourth")],
        [("L1H1.result@p5", "repeats5"), ("L1.attn_out@p3", "repeats3")],
    )


def carry() -> Program:
    """Add two numbers of three decimal digits, with carries through nines, lowest digit first."""
    columns, t, start, first = 3, 7, 10, 11
    b = [2 * column + 2 for column in range(columns)]
    spaces = {"left": 10, "sum": 19, "carry": 1, "out": 1, "digit": 10}
    m = Machine(first + 10, t, spaces, layers=3)
    rest = dict.fromkeys(range(t), 0)
    m.look(0, 0, rest | {i: i - 1 for i in b})
    m.copy(0, 0, "token", "left", 10)
    for x in range(10):
        for y in range(10):
            m.neuron(0, m.at("left", x) + m.at("token", y), -1, m.at("sum", x + y))
    # Into the second column from the first one's sum; into the third from what the second passes.
    m.look(1, 0, rest | {b[1]: b[0]})
    m.move(1, 0, [(m.at("sum", range(10, 19)), m.at("carry"))])
    passes = m.at("sum", {9: 1.0, **dict.fromkeys(range(10, 19), 2.0)}) + m.at("carry")
    m.step(1, passes, 1, m.at("out"), b[1])
    m.look(2, 0, rest | {b[2]: b[1]})
    m.move(2, 0, [(m.at("out"), m.at("carry"))])
    for total in range(19):
        m.neuron(2, m.at("sum", total) - m.at("carry"), 0, m.at("digit", total % 10))
        m.neuron(2, m.at("sum", total) + m.at("carry"), -1, m.at("digit", (total + 1) % 10))
    for digit in range(10):
        m.logit(first + digit, 10 * m.at("digit", digit))
    rng = np.random.default_rng(3)
    left, right = rng.integers(0, 10, (2, N, columns))
    nine = rng.random((N, columns)) < 0.3
    right = np.where(nine, 9 - left, right)
    tokens = np.full((N, t), start)
    tokens[:, [i - 1 for i in b]], tokens[:, b] = left, right
    sums, into = left + right, np.zeros((N, columns + 1), np.int64)
    for column in range(columns):
        into[:, column + 1] = sums[:, column] + into[:, column] > 9
    digits = (sums + into[:, :columns]) % 10
    concepts = distractors(rng)
    for i in range(columns):
        concepts |= {f"a{i}": left[:, i], f"b{i}": right[:, i], f"sum{i}": sums[:, i]}
        concepts |= {f"digit{i}": digits[:, i], f"carry{i + 1}": into[:, i + 1]}
        concepts |= {f"nine{i}": (sums[:, i] == 9).astype(np.int64)}
    holds = {"L1.mlp_out@p4": "carry2"}
    holds |= dict.fromkeys(written(1, 0, "p4"), "carry1") | dict.fromkeys(
        written(2, 0, "p6"), "carry2"
    )
    for i in range(columns):
        holds |= {f"embed@p{2 * i + 1}": f"a{i}", f"embed@p{b[i]}": f"b{i}"}
        holds |= dict.fromkeys(written(0, 0, f"p{b[i]}"), f"a{i}")
        holds |= {f"L0.mlp_out@p{b[i]}": f"sum{i}", f"L2.mlp_out@p{b[i]}": f"digit{i}"}
    # Several ways to say the same: from what comes in, and from the columns before.
    second = [
        lambda sum1, carry1: first + (sum1 + carry1) % 10,
        lambda sum1, sum0: first + (sum1 + (sum0 > 9)) % 10,
    ]
    third = [
        lambda sum2, carry2: first + (sum2 + carry2) % 10,
        lambda sum2, sum1, carry1: first + (sum2 + (sum1 + carry1 > 9)) % 10,
        lambda sum2, sum1, sum0: first + (sum2 + (sum1 + (sum0 > 9) > 9)) % 10,
    ]
    answers = [
        Answer("s0", "p2", rule=lambda sum0: first + sum0 % 10),
        Answer("s1", "p4", rule=second),
        Answer("s2", "p6", rule=third),
    ]
    return Program(
        m,
        Examples(tokens, positions=names(t), concepts=concepts, answers=answers),
        holds,
        [
            ("L0.mlp_out@p2", "sum0", "s0"),
            ("L1H0.result@p4", "carry1", "s1"),
            ("L1.mlp_out@p4", "carry2", "s2"),
            ("L2H0.result@p6", "carry2", "s2"),
            ("L0.mlp_out@p6", "sum2", "s2"),
        ],
        [],
    )


def brackets() -> Program:
    """Count how deep brackets are, and whether more are closed than were open before."""
    t, start, no, yes = 9, 2, 3, 4
    m = Machine(5, t, {"share": 1, "depth": 2 * t + 1, "below": 1, "right": 1})
    m.move(0, 1, [(m.at("token", {0: 1.0, 1: -1.0}), m.at("share"))])
    for where in range(1, t):
        m.one_hot(0, (where + 1) * m.at("share"), range(-where, where + 1), "depth", where)
    below = m.at("depth", range(t))
    m.attend(
        1,
        0,
        [
            (SURE * m.at("position", range(t)), below),
            (SURE / 2 * m.at("position", range(t)), m.at("token", start)),
        ],
    )
    m.move(1, 0, [(below, m.at("below"))])
    m.neuron(1, m.at("depth", t) - m.at("below"), 0, m.at("right"))
    m.logit(yes, 20 * m.at("right"))
    m.logit(no, 0 * m.at("right"), 10)
    rng = np.random.default_rng(4)
    tokens = np.full((N, t), start)
    # Half of them are well formed as far as one can see from the number of brackets.
    tokens[:, 1:] = rng.integers(0, 2, (N, t - 1))
    even = rng.permuted(np.repeat([[0, 1]], N // 2, axis=0).repeat((t - 1) // 2, axis=1), axis=1)
    tokens[: N // 2, 1:] = np.where(rng.random((N // 2, 1)) < 0.5, even, np.sort(even, axis=1))
    tokens[: N // 4, 1:3] = [0, 1]
    tokens = tokens[rng.permutation(N)]
    steps = np.where(tokens == 0, 1, -1) * (tokens != start)
    depth = np.cumsum(steps, axis=1)
    under = np.cumsum(depth < 0, axis=1) > 0
    concepts = {f"tok{i}": tokens[:, i] for i in range(1, t)} | distractors(rng)
    concepts |= {f"depth{i}": depth[:, i] for i in range(1, t)}
    concepts |= {f"below{i}": under[:, i].astype(np.int64) for i in range(1, t)}
    concepts |= {"closed": (depth[:, -1] == 0).astype(np.int64)}
    concepts |= {f"even{i}": depth[:, i] // 2 % 2 for i in range(1, t)}
    well = (depth == 0) & ~under
    concepts |= {f"right{i}": well[:, i].astype(np.int64) for i in range(2, t, 2)}
    holds: dict[str, str] = {}
    for i in range(1, t):
        holds |= {f"embed@p{i}": f"tok{i}", f"L0.mlp_out@p{i}": f"depth{i}"}
        holds |= dict.fromkeys(written(0, 1, f"p{i}"), f"depth{i}")
        holds |= dict.fromkeys(written(1, 0, f"p{i}"), f"below{i}")
        if i % 2 == 0:
            holds |= {f"L1.mlp_out@p{i}": f"right{i}"}
    answers = [
        Answer("four", "p4", rule=lambda depth4, below4: yes if depth4 == 0 and not below4 else no),
        Answer("all", "p8", rule=lambda depth8, below8: yes if depth8 == 0 and not below8 else no),
    ]
    return Program(
        m,
        Examples(tokens, positions=names(t), concepts=concepts, answers=answers),
        holds,
        [
            ("L1.mlp_out@p8", "right8", "all"),
            ("L0.mlp_out@p4", "depth4", "four"),
            ("L1H0.result@p8", "below8", "all"),
        ],
        [("L1H0.result@p5", "below5")],
    )


def two_parts() -> Program:
    """Copy two tokens to the end side by side, and answer with the first of them."""
    kinds, t, start = 6, 4, 6
    first = start + 1
    m = Machine(first + kinds, t, {"a": kinds, "b": kinds}, layers=1)
    for head, space in enumerate("ab"):
        m.look(0, head, {0: 0, 1: 0, 2: 0, 3: head + 1})
        m.copy(0, head, "token", space, kinds)
    for token in range(kinds):
        m.logit(first + token, 10 * m.at("a", token))
    rng = np.random.default_rng(5)
    tokens = rng.integers(0, kinds, (N, t))
    tokens[:, 0] = tokens[:, 3] = start
    concepts = {"a": tokens[:, 1], "b": tokens[:, 2]} | distractors(rng)
    return Program(
        m,
        Examples(
            tokens,
            positions=names(t),
            concepts=concepts,
            answers=[Answer("copy", "p3", rule=lambda a: first + a)],
        ),
        {"embed@p1": "a", "embed@p2": "b", "L0H0.result@p3": "a", "L0H1.result@p3": "b"},
        [("L0H0.result@p3", "a", "copy")],
        [("L0H1.result@p3", "b")],
        ["L0.attn_out@p3"],
    )
