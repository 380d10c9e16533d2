import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from clusterwidget import cli
from clusterwidget.addition import verification
from clusterwidget.addition.model import Config, build, fingerprint, read_model, save_model


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    path = tmp_path / "untrained.safetensors"
    save_model(path, build(Config(), seed=1), Config(), {"seed": 1})
    return path


@pytest.fixture
def few_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make samples, and all problems, few enough for a test."""
    monkeypatch.setattr(verification, "sample", partial(verification.sample, 50, 1))
    few = partial(verification.verify_all, lefts=range(2), shard=1)
    monkeypatch.setattr(verification, "verify_all", few)


def test_help_comes_without_torch() -> None:
    code = (
        "import sys\nfrom clusterwidget.cli import main\n"
        "try: main(['verify', '--help'])\n"
        "except SystemExit: sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "all 100,000,000 problems" in " ".join(run.stdout.split())


def test_train_writes_a_model_that_the_seed_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        assert cli.main(["train", "--steps", "2", "--seed", "7", "--output", str(path)]) == 0
    first, second = (fingerprint(read_model(path, "cpu")) for path in paths)
    assert first == second
    printed = capsys.readouterr().out
    assert f"clusterwidget verify --weights {paths[0]}" in printed
    assert "are not the shipped ones" in printed


def test_an_interrupted_training_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("clusterwidget.addition.training.train", interrupted)
    path = tmp_path / "a.safetensors"
    assert cli.main(["train", "--output", str(path)]) == 130
    assert "Interrupted. Nothing was written." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("few_problems")
def test_verify_finds_nothing_wrong_with_the_shipped_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["verify", "--device", "cpu"]) == 0
    assert "0 wrong of 131 problems." in capsys.readouterr().out


@pytest.mark.usefixtures("few_problems")
def test_verify_lists_what_is_wrong_and_exits_with_one(
    untrained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", "--weights", str(untrained), "--device", "cpu"]) == 1
    printed = capsys.readouterr().out
    assert "131 wrong of 131 problems." in printed
    assert len(printed.partition("The first that are wrong:")[2].split()) == 10


@pytest.mark.usefixtures("few_problems")
def test_verify_all_records_what_it_found_next_to_the_weights(untrained: Path) -> None:
    progress = untrained.with_name("progress.json")
    command = ["verify", "--all", "--weights", str(untrained), "--progress-file", str(progress)]
    assert cli.main([*command, "--device", "cpu", "--record"]) == 1
    record = json.loads(untrained.with_suffix(".verified.json").read_text())
    assert record["model"] == fingerprint(read_model(untrained, "cpu"))
    assert record["checked"] == 20_000
    assert record["wrong"] > 19_000
    assert record["problems_per_second"] > 0
    assert progress.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--weights", "absent"], "there are no weights at absent"),
        (["verify", "--record"], "--record keeps .* add --all"),
        (["verify", "--device", "abacus"], "there is no device 'abacus' here. Try --device cpu"),
        (["train", "--device", "abacus"], "there is no device 'abacus' here"),
    ],
)
def test_what_cannot_run_says_why(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert re.search(f"clusterwidget {arguments[0]}: {message}", capsys.readouterr().err)


@pytest.mark.parametrize("steps", ["0", "-3", "many", "1.5"])
def test_a_number_of_steps_that_is_none_is_refused(
    steps: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["train", "--steps", steps])
    assert exit_.value.code == 2
    assert f"{steps!r} is not a number from 1 up" in capsys.readouterr().err
