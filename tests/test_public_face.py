"""Whatever is given to the public face: it works, or an error names the value and the way out."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import clusterwidget as cw
from clusterwidget import addition
from clusterwidget.core.checks import shown
from clusterwidget.core.watch import CaptureCancelledError, Watch
from clusterwidget.wire.replies import reply
from tests.conftest import make_native
from tests.texts import byte_level

EXPECTED = (
    TypeError,
    ValueError,
    IndexError,
    FileNotFoundError,
    FileExistsError,
    CaptureCancelledError,
    traitlets.TraitError,
)
ODD: tuple[Any, ...] = (
    None, True, False, math.nan, math.inf, -math.inf, -1, -(10**30), 10**30, 10**5000, 2.5, 1 + 2j,
    "", "x", "1", "L9.z@0", "a\ud800", "embed@a -> ", "\x00", b"", b"x", [], [None], ["x"], [[1]],
    (), {}, {"x": 3}, set(), object(), int, np.zeros(0), np.zeros((2, 2)), np.full(3, np.nan),
    np.array(3), np.float64("nan"), np.array([None]), np.ma.array([1, 2], mask=[True, False]),
)  # fmt: skip
WILD = st.one_of(
    st.sampled_from(ODD),
    st.integers(-3, -1),
    st.floats(allow_nan=True).filter(lambda number: not number.is_integer()),
    st.text(max_size=4),
    st.lists(st.sampled_from(ODD), max_size=2),
)


@dataclass
class Face:
    """What the calls below are made of."""

    given: cw.Explorer
    model: cw.Explorer
    widget: cw.ClusterWidget
    folder: Path
    tokens: np.ndarray


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Face:
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 9, (12, 3))
    examples = cw.Examples(
        tokens,
        positions=["a", "b", "c"],
        concepts={"odd": tokens[:, 0] % 2, "low": tokens[:, 1] < 4},
        answers=[cw.Answer("next", "b", tokens[:, 2])],
    )
    matrix = rng.standard_normal((12, 4), dtype=np.float32)
    own = cw.Explorer(examples=examples, activations={"L0.mlp_out@a": matrix, "embed@b": matrix})
    tiny = make_native(n_layers=1, n_heads=2, d_model=8, d_head=4, d_mlp=8)
    model = cw.Explorer(tiny, examples)
    folder = tmp_path_factory.mktemp("face")
    return Face(own, model, cw.ClusterWidget(own), folder, tokens)


TEXTS = ["The keys to the cabinet", "The dog is"]


def from_text(**how: Any) -> cw.Examples:
    return cw.Examples.from_text(byte_level(), TEXTS, **how)


def from_template(**how: Any) -> cw.Examples:
    table = {"a": ["keys", "dog"]}
    return cw.Examples.from_template("The {a} to", table, tokenizer=byte_level(), **how)


def from_dataset(**how: Any) -> cw.Examples:
    return cw.Examples.from_dataset({"a": TEXTS}, "a", tokenizer=byte_level(), **how)


STAGE, HELD = "L0.attn_out@b", "L0.mlp_out@a"
CALLS: dict[str, Callable[[Face, Any], object]] = {
    "Examples(tokens)": lambda f, v: cw.Examples(v),
    "Examples(labels)": lambda f, v: cw.Examples(f.tokens, labels=v),
    "Examples(positions)": lambda f, v: cw.Examples(f.tokens, positions=v),
    "Examples(concepts)": lambda f, v: cw.Examples(f.tokens, concepts=v),
    "Examples(concepts of)": lambda f, v: cw.Examples(f.tokens, concepts={"c": v}),
    "Examples(answers)": lambda f, v: cw.Examples(f.tokens, answers=v),
    "Examples(vocabulary)": lambda f, v: cw.Examples(f.tokens, vocabulary=v),
    "Examples(axes)": lambda f, v: cw.Examples(f.tokens, axes=v),
    "Examples(axes of)": lambda f, v: cw.Examples(f.tokens, axes={"0": v}),
    "Examples(families)": lambda f, v: cw.Examples(f.tokens, families=v),
    "Examples(descriptions)": lambda f, v: cw.Examples(f.tokens, descriptions=v),
    "Examples(descriptions of)": lambda f, v: cw.Examples(
        f.tokens, concepts={"c": f.tokens[:, 0]}, descriptions={"c": v}
    ),
    "Examples(attention_mask)": lambda f, v: cw.Examples(f.tokens, attention_mask=v),
    "Examples(columns)": lambda f, v: cw.Examples(f.tokens, columns=v),
    "Examples(columns of)": lambda f, v: cw.Examples(f.tokens, columns={"last": v}),
    "Examples.texts_at": lambda f, v: f.given.examples.texts_at(v),
    "Examples(parse)": lambda f, v: cw.Examples(f.tokens, parse=v),
    "from_text(tokenizer)": lambda f, v: cw.Examples.from_text(v, TEXTS),
    "from_text(texts)": lambda f, v: cw.Examples.from_text(byte_level(), v),
    "from_text(positions)": lambda f, v: from_text(positions=v),
    "from_text(positions of)": lambda f, v: from_text(positions={"p": v}),
    "from_text(answers)": lambda f, v: from_text(answers=v),
    "from_text(answers of)": lambda f, v: from_text(answers={"a": v}),
    "from_text(concepts)": lambda f, v: from_text(concepts=v),
    "from_text(prepend_bos)": lambda f, v: from_text(prepend_bos=v),
    "from_text(chat_template)": lambda f, v: from_text(chat_template=v),
    "from_text(padding_side)": lambda f, v: from_text(padding_side=v),
    "from_text(context)": lambda f, v: from_text(context=v),
    "from_text.parse": lambda f, v: from_text().parse(v),  # type: ignore[misc]
    "Explorer.from_text(model)": lambda f, v: cw.Explorer.from_text(v, TEXTS),
    "Explorer.from_text(tokenizer)": lambda f, v: cw.Explorer.from_text(
        f.model.model, TEXTS, tokenizer=v
    ),
    "from_template(template)": lambda f, v: cw.Examples.from_template(
        v, {"a": TEXTS}, tokenizer=byte_level()
    ),
    "from_template(table)": lambda f, v: cw.Examples.from_template(
        "The {a}", v, tokenizer=byte_level()
    ),
    "from_template(column)": lambda f, v: cw.Examples.from_template(
        "The {a}", {"a": v}, tokenizer=byte_level()
    ),
    "from_template(positions)": lambda f, v: from_template(positions=v),
    "from_template(answers)": lambda f, v: from_template(answers=v),
    "from_template(answers of)": lambda f, v: from_template(answers={"a": v}),
    "from_dataset(dataset)": lambda f, v: cw.Examples.from_dataset(
        v, "a", tokenizer=byte_level()
    ),
    "from_dataset(text)": lambda f, v: cw.Examples.from_dataset(
        {"a": TEXTS}, v, tokenizer=byte_level()
    ),
    "from_dataset(positions)": lambda f, v: from_dataset(positions=v),
    "from_dataset(answers)": lambda f, v: from_dataset(answers=v),
    "from_dataset(concepts)": lambda f, v: from_dataset(concepts=v),
    "Examples.fed": lambda f, v: f.given.examples.fed(v),
    "Examples.extended": lambda f, v: f.given.examples.extended(v),
    "Examples.where": lambda f, v: f.given.examples.where(v),
    "Examples.captions": lambda f, v: f.given.examples.captions(v),
    "Examples.token_text": lambda f, v: f.given.examples.token_text(v),
    "Answer(name)": lambda f, v: cw.Answer(v, "b", f.tokens[:, 0]),
    "Answer(position)": lambda f, v: cw.Answer("next", v, f.tokens[:, 0]),
    "Answer(tokens)": lambda f, v: cw.Examples(f.tokens, answers=[cw.Answer("next", "0", v)]),
    "Stage(kind)": lambda f, v: cw.Stage(v),
    "Stage(layer)": lambda f, v: cw.Stage("z", v, 0),
    "Stage(head)": lambda f, v: cw.Stage("z", 0, v),
    "Stage(position)": lambda f, v: cw.Stage("embed", position=v),
    "Stage.parse": lambda f, v: cw.Stage.parse(v),
    "l2(matrix)": lambda f, v: cw.l2(v, 0),
    "l2(row)": lambda f, v: cw.l2(np.eye(3), v),
    "nearest(row)": lambda f, v: cw.nearest(np.eye(3), v, 1),
    "nearest(k)": lambda f, v: cw.nearest(np.eye(3), 0, v),
    "Index": lambda f, v: cw.Index(v),
    "Index.nearest(row)": lambda f, v: cw.Index(np.eye(3)).nearest(v, 1),
    "Index.nearest(k)": lambda f, v: cw.Index(np.eye(3)).nearest(0, v),
    "Explorer(model)": lambda f, v: cw.Explorer(v, f.given.examples),
    "Explorer(examples)": lambda f, v: cw.Explorer(f.model.model, v),
    "Explorer(activations)": lambda f, v: cw.Explorer(examples=f.given.examples, activations=v),
    "Explorer(activations of)": lambda f, v: cw.Explorer(
        examples=f.given.examples, activations={"embed@a": v}
    ),
    "Explorer(activations named)": lambda f, v: cw.Explorer(
        examples=f.given.examples, activations={v: np.zeros((12, 2))}
    ),
    "Explorer(memory)": lambda f, v: cw.Explorer(f.model.model, f.given.examples, memory=v),
    "Explorer(batch_size)": lambda f, v: cw.Explorer(
        f.model.model, f.given.examples, batch_size=v
    ),
    "stages(kinds)": lambda f, v: f.given.stages(v),
    "stages(layers)": lambda f, v: f.given.stages(layers=v),
    "stages(heads)": lambda f, v: f.given.stages(heads=v),
    "stages(positions)": lambda f, v: f.given.stages(positions=v),
    "matrix": lambda f, v: f.given.matrix(v),
    "matrix(progress)": lambda f, v: f.given.matrix(HELD, progress=v),
    "matrix(cancelled)": lambda f, v: f.given.matrix(HELD, cancelled=v),
    "vectors": lambda f, v: f.given.vectors(v),
    "capture": lambda f, v: f.model.capture(v),
    "capture(precision)": lambda f, v: f.model.capture("embed@a", store="x.zarr", precision=v),
    "holds": lambda f, v: f.given.holds(v),
    "affordable": lambda f, v: f.given.affordable(v),
    "distances(stage)": lambda f, v: f.given.distances(v, 0),
    "distances(example)": lambda f, v: f.given.distances(HELD, v),
    "neighbors(stage)": lambda f, v: f.given.neighbors(v, 0),
    "neighbors(example)": lambda f, v: f.given.neighbors(HELD, v),
    "neighbors(k)": lambda f, v: f.given.neighbors(HELD, 0, v),
    "find": lambda f, v: f.given.find(v),
    "add": lambda f, v: f.given.add(v),
    "parsed": lambda f, v: f.given.parsed(v),
    "extended": lambda f, v: f.model.extended(v),
    "layout(stage)": lambda f, v: f.given.layout(v),
    "layout(method)": lambda f, v: f.given.layout(HELD, v),
    "layout(without)": lambda f, v: f.given.layout(HELD, without=v),
    "layout(seed)": lambda f, v: f.given.layout(HELD, seed=v),
    "shared_by(examples)": lambda f, v: f.given.shared_by(v),
    "shared_by(concepts)": lambda f, v: f.given.shared_by([0, 1], concepts=v),
    "shared(example)": lambda f, v: f.given.shared(HELD, v),
    "shared(k)": lambda f, v: f.given.shared(HELD, 0, v),
    "shared(concepts)": lambda f, v: f.given.shared(HELD, 0, concepts=v),
    "linear(stages)": lambda f, v: f.given.linear(v),
    "linear(concepts)": lambda f, v: f.given.linear(HELD, v),
    "linear(folds)": lambda f, v: f.given.linear(HELD, "odd", folds=v),
    "linear(seed)": lambda f, v: f.given.linear(HELD, "odd", seed=v),
    "shared_texts(stage)": lambda f, v: f.given.shared_texts(v, 0),
    "shared_texts(example)": lambda f, v: f.given.shared_texts(HELD, v),
    "shared_texts(k)": lambda f, v: f.given.shared_texts(HELD, 0, v),
    "shared_texts(without)": lambda f, v: f.given.shared_texts(HELD, 0, without=v),
    "text_concepts(examples)": lambda f, v: cw.text_concepts(v),
    "text_concepts(model)": lambda f, v: cw.text_concepts(f.given.examples, v),
    "text_concepts(positions)": lambda f, v: cw.text_concepts(f.given.examples, positions=v),
    "text_concepts(batch_size)": lambda f, v: cw.text_concepts(f.given.examples, batch_size=v),
    "atlas(stages)": lambda f, v: f.given.atlas(v),
    "atlas(concepts)": lambda f, v: f.given.atlas([HELD], v),
    "atlas_of(pairs)": lambda f, v: f.given.atlas_of([HELD], pairs=v),
    "atlas_of(pairs of)": lambda f, v: f.given.atlas_of([HELD], pairs=[v]),
    "atlas_of(first)": lambda f, v: f.given.atlas_of([HELD], first=v),
    "significance(stages)": lambda f, v: f.given.significance(v, permutations=2),
    "significance(permutations)": lambda f, v: f.given.significance(HELD, permutations=v),
    "significance(correction)": lambda f, v: f.given.significance(
        HELD, permutations=2, correction=v
    ),
    "significance(seed)": lambda f, v: f.given.significance(HELD, permutations=2, seed=v),
    "meaning(stage)": lambda f, v: f.given.meaning(v),
    "meaning(concepts)": lambda f, v: f.given.meaning(HELD, concepts=v),
    "meaning(most)": lambda f, v: f.given.meaning(HELD, most=v),
    "meaning(seed)": lambda f, v: f.given.meaning(HELD, seed=v),
    "meaning(without)": lambda f, v: f.given.meaning(HELD, without=v),
    "matrix(without)": lambda f, v: f.given.matrix(HELD, without=v),
    "coordinate_shares(stage)": lambda f, v: f.given.coordinate_shares(v),
    "matrix(metric)": lambda f, v: f.given.matrix(HELD, metric=v),
    "distances(metric)": lambda f, v: f.given.distances(HELD, 0, metric=v),
    "neighbors(metric)": lambda f, v: f.given.neighbors(HELD, 0, metric=v),
    "shared(metric)": lambda f, v: f.given.shared(HELD, 0, metric=v),
    "atlas(metric)": lambda f, v: f.given.atlas(HELD, metric=v),
    "known_atlas(metric)": lambda f, v: f.given.known_atlas(metric=v),
    "significance(metric)": lambda f, v: f.given.significance(HELD, permutations=2, metric=v),
    "meaning(metric)": lambda f, v: f.given.meaning(HELD, metric=v),
    "parts(metric)": lambda f, v: f.given.parts(HELD, metric=v),
    "components(metric)": lambda f, v: f.given.components(HELD, metric=v),
    "clusters(metric)": lambda f, v: f.given.clusters(HELD, 2, metric=v),
    "lens_agreement(metric)": lambda f, v: f.model.lens_agreement(STAGE, 0, metric=v),
    "swap_test(metric)": lambda f, v: f.model.swap_test(STAGE, pairs=2, metric=v),
    "swap_tests(metric)": lambda f, v: f.model.swap_tests(STAGE, pairs=2, metric=v),
    "account(metric)": lambda f, v: f.model.account(STAGE, pairs=2, metric=v),
    "parts(stage)": lambda f, v: f.given.parts(v),
    "parts(concepts)": lambda f, v: f.given.parts(HELD, concepts=v),
    "parts(seed)": lambda f, v: f.given.parts(HELD, seed=v),
    "components(most)": lambda f, v: f.given.components(HELD, most=v),
    "Examples.with_concept(name)": lambda f, v: f.given.examples.with_concept(v, [0, 1] * 6),
    "Examples.with_concept(values)": lambda f, v: f.given.examples.with_concept("c", v),
    "Examples.with_concept(description)": lambda f, v: f.given.examples.with_concept(
        "c", [0, 1] * 6, description=v
    ),
    "add_concept(description)": lambda f, v: f.given.add_concept("odd", [0, 1] * 6, v),
    "Answer(rule)": lambda f, v: cw.Examples(
        f.tokens, concepts={"c": f.tokens[:, 0]}, answers=[cw.Answer("n", "0", rule=v)]
    ),
    "lens(stage)": lambda f, v: f.model.lens(v, 0),
    "lens(example)": lambda f, v: f.model.lens(STAGE, v),
    "lens(top)": lambda f, v: f.model.lens(STAGE, 0, v),
    "lens_agreement(k)": lambda f, v: f.model.lens_agreement(STAGE, 0, v),
    "clusters(n)": lambda f, v: f.given.clusters(HELD, v),
    "clusters(method)": lambda f, v: f.given.clusters(HELD, 2, method=v),
    "clusters(seed)": lambda f, v: f.given.clusters(HELD, 2, seed=v),
    "swap(stage)": lambda f, v: f.model.swap(v, 0, 1),
    "swap(receiver)": lambda f, v: f.model.swap(STAGE, v, 1),
    "swap(donor)": lambda f, v: f.model.swap(STAGE, 0, v),
    "swap(free)": lambda f, v: f.model.swap(STAGE, 0, 1, free=v),
    "swap_test(stage)": lambda f, v: f.model.swap_test(v, pairs=2),
    "swap_test(answer)": lambda f, v: f.model.swap_test(STAGE, v, pairs=2),
    "swap_test(concept)": lambda f, v: f.model.swap_test(STAGE, concept=v, pairs=2),
    "swap_test(pairs)": lambda f, v: f.model.swap_test(STAGE, pairs=v),
    "swap_test(seed)": lambda f, v: f.model.swap_test(STAGE, pairs=2, seed=v),
    "swap_test(free)": lambda f, v: f.model.swap_test(STAGE, pairs=2, free=v),
    "swap_test(concepts)": lambda f, v: f.model.swap_test(STAGE, concept=[v, v], pairs=2),
    "swap_test(how)": lambda f, v: f.model.swap_test(STAGE, how=v, pairs=2),
    "account(stage)": lambda f, v: f.model.account(v, pairs=2),
    "account(answer)": lambda f, v: f.model.account(STAGE, v, pairs=2),
    "ablate(stages)": lambda f, v: f.model.ablate([v]),
    "ablate(examples)": lambda f, v: f.model.ablate([STAGE], v),
    "ablate(readout)": lambda f, v: f.model.ablate([STAGE], readout=v),
    "swap_tests(stages)": lambda f, v: f.model.swap_tests(v, pairs=2),
    "ablate(what)": lambda f, v: f.model.ablate(v, 0),
    "ablate(example)": lambda f, v: f.model.ablate(STAGE, v),
    "ablate(method)": lambda f, v: f.model.ablate(STAGE, 0, method=v),
    "ablate(draws)": lambda f, v: f.model.ablate(STAGE, 0, method="resample", draws=v),
    "ablate(renormalize)": lambda f, v: f.model.ablate(STAGE, 0, renormalize=v),
    "ablate(seed)": lambda f, v: f.model.ablate(STAGE, 0, seed=v),
    "trace(example)": lambda f, v: f.model.trace(v, "next"),
    "trace(answer)": lambda f, v: f.model.trace(0, v),
    "trace(method)": lambda f, v: f.model.trace(0, "next", method=v),
    "trace(draws)": lambda f, v: f.model.trace(0, "next", draws=v),
    "trace(threshold)": lambda f, v: f.model.trace(0, "next", draws=1, threshold=v),
    "trace(least)": lambda f, v: f.model.trace(0, "next", draws=1, least=v),
    "trace(seed)": lambda f, v: f.model.trace(0, "next", draws=1, seed=v),
    "attribution(stages)": lambda f, v: f.model.attribution(v),
    "attribution(seed)": lambda f, v: f.model.attribution(STAGE, seed=v),
    "swap_tests(budget)": lambda f, v: f.model.swap_tests(STAGE, pairs=5, budget=v),
    "trace(budget)": lambda f, v: f.model.trace(0, "next", budget=v),
    "get_ready(progress)": lambda f, v: f.model.get_ready(v),
    "load(progress)": lambda f, v: f.model.load(progress=v),
    "save(path)": lambda f, v: f.given.save(v, HELD),
    "save(stages)": lambda f, v: f.given.save(f.folder / "saved", v),
    "open(path)": lambda f, v: cw.open(v),
    "Explorer(keep)": lambda f, v: cw.Explorer(f.model.model, f.given.examples, keep=v),
    "demo(n)": lambda f, v: cw.demo(v),
    "demo(seed)": lambda f, v: cw.demo(5, seed=v),
    "ClusterWidget(without)": lambda f, v: cw.ClusterWidget(f.given, without=v),
    "ClusterWidget(model)": lambda f, v: cw.ClusterWidget(v),
    "ClusterWidget(examples)": lambda f, v: cw.ClusterWidget(f.model.model, v),
    "ClusterWidget(selected)": lambda f, v: cw.ClusterWidget(f.given, selected=v),
    "ClusterWidget(stage)": lambda f, v: cw.ClusterWidget(f.given, stage=v),
    "ClusterWidget(k)": lambda f, v: cw.ClusterWidget(f.given, k=v),
    "ClusterWidget(color_by)": lambda f, v: cw.ClusterWidget(f.given, color_by=v),
    "ClusterWidget(arrange_by)": lambda f, v: cw.ClusterWidget(f.given, arrange_by=v),
    "ClusterWidget(arrange_by both)": lambda f, v: cw.ClusterWidget(f.given, arrange_by=[v, v]),
    "ClusterWidget(arrange)": lambda f, v: cw.ClusterWidget(f.given, arrange=v),
    "ClusterWidget(chosen)": lambda f, v: cw.ClusterWidget(f.given, chosen=v),
    "ClusterWidget(chosen of)": lambda f, v: cw.ClusterWidget(f.given, chosen=[0, v]),
    "ClusterWidget(filter)": lambda f, v: cw.ClusterWidget(f.given, filter=v),
    "ClusterWidget(scale)": lambda f, v: cw.ClusterWidget(f.given, scale=v),
    "ClusterWidget(zoom)": lambda f, v: cw.ClusterWidget(f.given, zoom=v),
    "compare(a)": lambda f, v: cw.compare(v, f.given),
    "compare(b)": lambda f, v: cw.compare(f.given, v),
    "compare(stage)": lambda f, v: cw.compare(f.given, (f.given, v)),
    "widget.state": lambda f, v: setattr(f.widget, "state", v),
    "ClusterWidget(height)": lambda f, v: cw.ClusterWidget(f.given, height=v),
    "ClusterWidget(picture)": lambda f, v: cw.ClusterWidget(f.given, picture=v),
    "export(path)": lambda f, v: f.widget.export(v, HELD, tell=None),
    "export(stages)": lambda f, v: f.widget.export(f.folder / "p.html", v, tell=None),
    "export(limit)": lambda f, v: f.widget.export(f.folder / "p.html", HELD, limit=v, tell=None),
    "export(dtype)": lambda f, v: f.widget.export(f.folder / "p.html", HELD, dtype=v, tell=None),
    "export(overwrite)": lambda f, v: f.widget.export(
        f.folder / "p.html", HELD, overwrite=v, tell=None
    ),
    "export(tell)": lambda f, v: f.widget.export(f.folder / "p.html", HELD, tell=v),
    "known_clusters(stages)": lambda f, v: f.given.known_clusters(v),
    "ClusterWidget(embed)": lambda f, v: cw.ClusterWidget(f.given, embed=v),
    "widget.add": lambda f, v: f.widget.add(v),
    "plot.grid(ex)": lambda f, v: cw.plot.grid(v, HELD, 0),
    "plot.grid(stage)": lambda f, v: cw.plot.grid(f.given, v, 0),
    "plot.grid(example)": lambda f, v: cw.plot.grid(f.given, HELD, v),
    "plot.grid(color_by)": lambda f, v: cw.plot.grid(f.given, HELD, 0, color_by=v),
    "plot.grid(arrange_by)": lambda f, v: cw.plot.grid(f.given, HELD, 0, arrange_by=v),
    "plot.grid(without)": lambda f, v: cw.plot.grid(f.given, HELD, 0, without=v),
    "plot.grid(filter)": lambda f, v: cw.plot.grid(f.given, HELD, 0, filter=v),
    "plot.grid(scale)": lambda f, v: cw.plot.grid(f.given, HELD, 0, scale=v),
    "plot.grid(palette)": lambda f, v: cw.plot.grid(f.given, HELD, 0, palette=v),
    "plot.grid(near)": lambda f, v: cw.plot.grid(f.given, HELD, 0, near=v),
    "plot.grid(k)": lambda f, v: cw.plot.grid(f.given, HELD, 0, k=v),
    "plot.grid(ax)": lambda f, v: cw.plot.grid(f.given, HELD, 0, ax=v),
    "plot.atlas(ex)": lambda f, v: cw.plot.atlas(v),
    "plot.atlas(stages)": lambda f, v: cw.plot.atlas(f.given, v),
    "plot.atlas(concept)": lambda f, v: cw.plot.atlas(f.given, HELD, concept=v),
    "plot.atlas(folded)": lambda f, v: cw.plot.atlas(f.given, HELD, folded=v),
    "plot.parts(stages)": lambda f, v: cw.plot.parts(f.given, v),
    "plot.trace(example)": lambda f, v: cw.plot.trace(f.model, v, "next"),
    "plot.trace(answer)": lambda f, v: cw.plot.trace(f.model, 0, v),
    "plot.trace(pruned)": lambda f, v: cw.plot.trace(f.model, 0, "next", pruned=v),
    "plot.swap_test(stage)": lambda f, v: cw.plot.swap_test(f.model, v, pairs=2),
    "plot.swap_test(answer)": lambda f, v: cw.plot.swap_test(f.model, STAGE, v, pairs=2),
    "addition.problems(n)": lambda f, v: addition.problems(v),
    "addition.problems(seed)": lambda f, v: addition.problems(2, v),
    "addition.from_numbers": lambda f, v: addition.from_numbers(v, 1),
    "addition.parse": lambda f, v: addition.parse(v),
    "addition.load_model": lambda f, v: addition.load_model(v),
}  # fmt: skip

NONE_IS_LEAVING_OUT = (
    *("Explorer(model)", "Explorer(activations)"),
    *(
        f"from_text({part})"
        for part in (
            "positions",
            "answers",
            "concepts",
            "prepend_bos",
            "chat_template",
            "padding_side",
            "context",
        )
    ),
    *("Explorer.from_text(tokenizer)", "from_template(positions)", "from_template(answers)"),
    *("from_dataset(positions)", "from_dataset(answers)", "from_dataset(concepts)"),
    *("ClusterWidget(examples)", "Answer(rule)", "Examples.with_concept(description)"),
    "add_concept(description)",
    *("plot.grid(arrange_by)", "plot.grid(k)", "plot.grid(ax)", "plot.atlas(stages)"),
    *("plot.atlas(concept)", "plot.atlas(folded)", "plot.trace(answer)", "plot.swap_test(answer)"),
    *("export(stages)", "export(limit)", "export(tell)"),
)
"""Calls in which something is missing, rather than odd, where None is given."""


def names_it(message: str, value: Any) -> bool:
    """Whether a message has the value, what it holds, or its kind in it."""
    flat = " ".join(message.split())
    shapes = {type(value).__name__, shown(value)}
    if isinstance(value, (float, int)) and not isinstance(value, bool) and value < 10**15:
        shapes |= {str(value), f"{value:,}"}
    if isinstance(value, type):
        shapes.add(value.__name__)
    if isinstance(value, bytes):
        # traitlets takes bytes for text.
        shapes.add(repr(value.decode()))
    if isinstance(value, str) and value:
        shapes |= {value, repr(value)[1:-1]}
    if isinstance(value, np.ndarray):
        shapes |= {str(value.dtype), str(value.shape)}
    if isinstance(value, np.ndarray) and value.ndim:
        # What is said of a row, or of a cell, is said of the array.
        cells = value.ravel().tolist()
        return any(shape in flat for shape in (*shapes, *map(str, cells), *map(repr, value)))
    if isinstance(value, str) and len(value) > 1 and not value.isprintable():
        shapes |= {repr(part) for part in value if not part.isprintable()}
    held: Iterable[Any] = value if isinstance(value, (list, tuple, set, dict)) else ()
    return any(shape in flat for shape in shapes) or any(names_it(flat, item) for item in held)


@pytest.mark.filterwarnings("ignore:.*n_init|.*distinct clusters")
@pytest.mark.parametrize("call", CALLS)
@given(value=WILD)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_malformed_ends_in_an_error_that_names_it(
    face: Face, monkeypatch: pytest.MonkeyPatch, call: str, value: Any
) -> None:
    # Some values are good names of a folder, which is then made.
    monkeypatch.chdir(face.folder)
    assume(value is not None or call not in NONE_IS_LEAVING_OUT)
    try:
        CALLS[call](face, value)
        message = None
    except EXPECTED as error:
        message = f"{type(error).__name__}: {error}"
    assert message is None or names_it(message, value), message


def test_no_stage_gives_an_empty_table(face: Face) -> None:
    for table in (face.given.atlas([]), face.given.significance([], permutations=2)):
        assert table.shape == (0, 2)
        assert table.columns.tolist() == ["odd", "low"]


def test_a_request_of_the_page_that_lacks_a_field_is_told_which(face: Face) -> None:
    with pytest.raises(ValueError, match='request "matrix" lacks the field "stage"'):
        reply(face.given, {"what": "matrix"}, Watch())
    with pytest.raises(ValueError, match=r"asked for \['x'\], which the kernel does not know"):
        reply(face.given, {"what": ["x"]}, Watch())
    with pytest.raises(ValueError, match="is a whole number, not '0'"):
        reply(face.given, {"what": "captions", "row": "0"}, Watch())
