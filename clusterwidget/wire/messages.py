"""Messages: everything that the page is told, field by field; what it asks is in `requests`.

`js/src/source/wire/messages.ts` is the page's side of this; what the page never reads is not
sent. Arrays travel beside the fields, as buffers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from clusterwidget.wire.binary import Buffer

Fields = Mapping[str, Any]
Reply = tuple[Fields, list[Buffer]]


class Nothing(TypedDict):
    """A request, or an answer, without fields."""


class Row(TypedDict):
    """A row of the stage map: one kind, layer and head."""

    kind: str
    layer: int | None
    head: int | None
    widths: list[int]


class Answer(TypedDict):
    """An answer that the model is asked for."""

    name: str
    position: str
    title: str


class Recorded(TypedDict):
    """What a page without a kernel has: vectors and clusters of these stages, and these traces.

    What metrics know of a stage is worked out from the first `measured_on` examples.
    """

    stages: list[str]
    clusters: list[str]
    traces: list[tuple[int, str]]
    measured_on: int


class Hello(TypedDict):
    """What there is to explore."""

    n: int
    positions: list[str]
    rows: list[Row]
    concepts: list[str]
    descriptions: dict[str, str]
    axes: dict[str, list[str]]
    answers: list[Answer]
    can_parse: bool
    has_model: bool
    default_kinds: list[str]
    has_texts: bool
    layouts: list[str]
    recorded: Recorded | None


class Captions(TypedDict):
    """What the answers to an example say."""

    captions: list[str]


class Tokens(TypedDict):
    """Buffers: the examples' tokens at the positions, and the right tokens of each answer.

    Where the positions are some tokens of each example only, four more: see `fed_tokens`.
    """

    positions: int
    dtype: str
    vocabulary: dict[str, str]
    answers: int


class Codes(TypedDict):
    """One buffer: a code for each example, the largest one for a missing value."""

    name: str
    values: list[str]
    dtype: str


class Concepts(TypedDict):
    """Buffers: the codes of each concept."""

    concepts: list[Codes]


class Dominated(TypedDict):
    """A few coordinates of a stage that carry most of its L2 distances: their share."""

    coordinates: int
    of: int
    share: float


class Matrix(TypedDict):
    """One buffer: the vectors of all examples, or what a metric makes of them."""

    d: int
    columns: list[str] | None
    dominated: Dominated | None


class Distances(TypedDict):
    """Buffers: the distances from the example, and its vector."""

    columns: list[str] | None
    dominated: Dominated | None


class Found(TypedDict):
    """The example that a text stands for."""

    index: int
    added: bool


class Partitions(TypedDict):
    """Buffers: the codes of each partition, and how far each is determined by each other one.

    The rest decides what neighbors share.
    """

    partitions: list[Codes]
    wide: int
    nested: float
    nearly_as_strong: float
    significant: float


class PartShown(TypedDict):
    """A part of a stage: a concept, or the interplay of two; and its hue."""

    name: str
    concepts: list[str]
    alone: float
    adds: float
    only: float
    p: float
    color: str


class ComponentShown(TypedDict):
    """A principal component of what is left: its share of that, and the examples at its ends."""

    share: float
    low: list[int]
    high: list[int]


class Parts(TypedDict):
    """What a stage is made of; and the components of what is left of it."""

    parts: list[PartShown]
    unexplained: float | None
    spread: float
    components: list[ComponentShown]


class SecondParts(TypedDict):
    """The second part of each stage: which concept's hue, -1 for none, and what it adds."""

    stages: list[str]
    concepts: list[str]
    colors: list[str]
    adds: list[float]


class Named(TypedDict):
    """The concept that was made."""

    name: str


class HueShown(TypedDict):
    """A hue on the stage map, and what it stands for."""

    name: str
    color: str


class Atlas(TypedDict):
    """One buffer: the explained shares, stages × concepts."""

    stages: list[str]
    concepts: list[str]
    hues: list[HueShown]
    hue_of: list[int]
    best: list[int]
    pairs: list[list[str]]
    axes: list[int]
    notes: list[str]


class Clusters(TypedDict):
    """One buffer: each example's cluster."""

    names: list[str]
    dtype: str


class PatternShown(TypedDict):
    """A pattern that near texts share: where it is, and how many of the matches are its own."""

    text: str
    where: str
    share: float
    base: float
    p: float
    matches: int


class SharedTexts(TypedDict):
    """One buffer: of each match in turn the example, its first token and the one after its last."""

    patterns: list[PatternShown]


class Layout(TypedDict):
    """One buffer: each example's point, (n, 2); and the share of the variance along each axis."""

    shares: list[float] | None


class Unread(TypedDict):
    """Why the lens has nothing to show."""

    available: Literal[False]
    reason: str
    waits: bool
    """Whether loading the model would tell."""


class LensToken(TypedDict):
    """A token, and how strongly it is answered."""

    text: str
    value: float


class LensAnswer(TypedDict):
    """The right token of the answer that is read where the lens looks."""

    name: str
    text: str


class Lens(TypedDict):
    """What the model would answer if it stopped at a stage."""

    available: Literal[True]
    kind: str
    tokens: list[LensToken]
    answer: LensAnswer | None
    same: int
    of: int


class Refused(TypedDict):
    """Why a swap, a swap test or a trace cannot be made."""

    possible: Literal[False]
    reason: str


class Unusual(TypedDict):
    """Distance to the nearest reference activation, over its usual size; whether that is far."""

    times: float
    far: bool


class Guess(TypedDict):
    """What the model answers."""

    text: str
    probability: float


class SwappedAnswer(TypedDict):
    """One answer, before a swap and after it."""

    name: str
    title: str
    right: str
    before: Guess
    after: Guess
    changed: bool
    reached: bool


class Swap(TypedDict):
    """What the model answers with another example's vector."""

    possible: Literal[True]
    answers: list[SwappedAnswer]
    unusual: Unusual | None


class Verdict(TypedDict):
    """A swap test in short; `mean`: whether the mean would do as well."""

    verdict: str
    sets: str | None
    mean: bool
    sentence: str


class SwapTests(TypedDict):
    """The swap tests that are known, by stage; those whose account closes; and all to test."""

    known: dict[str, Verdict]
    closed: list[str]
    stages: list[str]


class Condition(TypedDict):
    """Where the vectors of swaps come from."""

    name: str
    text: str


class Bar(TypedDict):
    """What is left of an answer under one condition."""

    condition: str
    recovered: float | None
    low: float | None
    high: float | None
    right: float | None
    unusual: Unusual | None


class FollowsShown(TypedDict):
    """Whether an answer follows the concept, on one kind of pairs."""

    pairs: str
    share: float | None
    low: float | None
    high: float | None
    n: int
    left_alone: float | None
    without: float | None
    chance: float | None


class TestedAnswer(TypedDict):
    """A swap test of one answer."""

    name: str
    title: str
    matters: bool
    right: float
    constant: float
    bars: list[Bar]
    follows: list[FollowsShown]


class SwapTest(TypedDict):
    """A swap test in full."""

    possible: Literal[True]
    verdict: str
    sets: str | None
    mean: bool
    sentence: str
    answer: str
    pairs: int
    more: int | None
    conditions: list[Condition]
    answers: list[TestedAnswer]


class Account(TypedDict):
    """What came of adding a stage's parts until they are enough, and the last test of them."""

    possible: Literal[True]
    closed: bool
    outcome: str
    test: SwapTest


class Node(TypedDict):
    """A stage that an answer may have come through."""

    stage: str
    probability: float | None
    loss: float | None
    kept: bool


class EdgeShown(TypedDict):
    """What one stage hands to a later one."""

    source: str
    target: str
    kind: str
    attention: float | None
    probability: float | None
    loss: float | None
    kept: bool


class Trace(TypedDict):
    """The stages and edges that an answer came through."""

    possible: Literal[True]
    text: str
    probability: float
    kept_probability: float
    unusual: Unusual | None
    nodes: list[Node]
    edges: list[EdgeShown]


class Progress(TypedDict):
    """How far a request has come."""

    done: int
    total: int
    text: str


class Failed(TypedDict):
    """Why a request was not answered, in words."""

    message: str


class Alive(TypedDict):
    """The kernel is there and has these requests of a view.

    Parts of the answers to the unread ones are still to be read.
    """

    type: Literal["alive"]
    view: Any
    open: list[Any]
    unread: list[Any]


class Changed(TypedDict):
    """The examples are others."""

    type: Literal["changed"]


class Part(TypedDict):
    """A part of a large answer: bytes from `at` of all `size`, the first `text` of them JSON.

    Buffers: the bytes, which may lie in several. The page has `at_a_time` parts under way at once.
    """

    type: Literal["part"]
    view: Any
    id: Any
    part: int
    parts: int
    at: int
    size: int
    text: int
    at_a_time: int


class Got(TypedDict):
    """A part of a large request has come."""

    type: Literal["got"]
    view: Any
    id: Any
    part: int
