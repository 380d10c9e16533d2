"""The programs do what they say, and hold what they say where they say it."""

from __future__ import annotations

import numpy as np

from tests.compiled.conftest import PROGRAMS, explorer_of, program_of
from tests.compiled.programs import KINDS


def test_all_answers_are_right(name: str) -> None:
    program, explorer = program_of(name), explorer_of(name)
    for answer in program.examples.answers.values():
        logits = explorer.matrix(f"logits@{answer.position}")
        np.testing.assert_array_equal(logits.argmax(axis=1), answer.tokens)
        others = np.sort(logits, axis=1)
        assert (others[:, -1] - others[:, -2]).min() > 5
        counts = np.bincount(answer.tokens)
        assert counts.max() < 0.9 * len(program.examples)


def test_stages_hold_what_they_are_said_to(name: str) -> None:
    program, explorer = program_of(name), explorer_of(name)
    for stage, variable in program.truth(explorer.stages(KINDS)).items():
        found = explorer.matrix(stage).round(3)
        vectors = np.unique(found, axis=0, return_inverse=True)[1].ravel()
        if variable is None:
            assert vectors.max() == 0, stage
            continue
        values = program.examples.concepts[variable].to_numpy()
        both = len(np.unique(np.stack([vectors, values], axis=1), axis=0))
        assert both == vectors.max() + 1 == len(np.unique(values)), (stage, variable)


def test_both_directions_occur() -> None:
    directions = [explorer_of(name).model.cfg.attention_dir for name in PROGRAMS]  # type: ignore[union-attr]
    assert set(directions) == {"causal", "bidirectional"}
