"""Accounts: add the parts of a stage, one after another, until the swap test says enough."""

from __future__ import annotations

from dataclasses import replace

from clusterwidget.core.stages import Stage
from clusterwidget.core.watch import Watch
from clusterwidget.interventions.setting import Setting
from clusterwidget.interventions.swaptests import joint_concept, swap_test
from clusterwidget.meaning.parts import Parts
from clusterwidget.results.account import Account
from clusterwidget.results.kept import Settings, SwapTests
from clusterwidget.results.swaptest import SwapTest


def account(
    setting: Setting,
    kept: SwapTests,
    stage: Stage,
    parts: Parts,
    settings: Settings,
    answer: str | None,
    watch: Watch,
) -> Account:
    """Return the account of a stage: see `Explorer.account`."""
    concepts = parts.concepts
    tests: list[SwapTest] = []
    tried: tuple[str, ...] = ()
    with watch.bar(max(1, len(concepts)), "part") as reporting:
        for count in range(1, len(concepts) + 1):
            reporting.step(count - 1, len(concepts))
            try:
                joint_concept(setting, concepts[:count])
            except ValueError as error:
                return Account(stage, False, tried, tuple(tests), f"{_not_enough(tried)} {error}")
            tried = concepts[:count]
            some = replace(settings, concepts=tried)
            test = swap_test(setting, kept, stage, some, answer, reporting.quiet())
            # Later tests are about the answer that the first one found to depend on the stage most.
            answer = answer or test.answer
            tests.append(test)
            if test.verdict in ("enough", "irrelevant"):
                break
        reporting.step(1, 1)
    if not tests:
        test = swap_test(setting, kept, stage, settings, answer, watch.quiet())
        closed = test.verdict == "irrelevant"
        sentence = test.sentence if closed else "Nothing that you named explains this stage."
        return Account(stage, closed, (), (test,), sentence)
    last = tests[-1]
    if last.verdict == "irrelevant":
        return Account(stage, True, (), tuple(tests), last.sentence)
    if last.verdict == "enough":
        are = "together are" if len(tried) > 1 else "is"
        sentence = f"{' and '.join(tried)} {are} enough here."
        return Account(stage, True, tried, tuple(tests), sentence)
    return Account(stage, False, tried, tuple(tests), _not_enough(tried))


def _not_enough(tried: tuple[str, ...]) -> str:
    if not tried:
        return "Nothing that you named is enough here."
    are = "together are" if len(tried) > 1 else "is"
    return f"Nothing that you named is enough here: {' and '.join(tried)} {are} not."
