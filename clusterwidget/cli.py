"""The command ``clusterwidget``: train, check and chart the model that adds; publish."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .publish.server.command import add_serve

if TYPE_CHECKING:
    from .addition.verification import Tally
    from .explorer import Explorer
    from .meaning.atlas import Atlas

_PICTURES = (".png", ".svg", ".pdf")
_RIGHT, _WRONG, _ERROR, _INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    0: done, and nothing wrong; 1: the model got problems wrong; 2: the command could not run;
    130: it was interrupted.
    """
    parsed = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return run(parsed)
    except (ValueError, OSError) as error:
        print(f"clusterwidget {parsed.command}: {error}", file=sys.stderr)
        return _ERROR
    except KeyboardInterrupt:
        print(f"\nInterrupted. {parsed.when_interrupted}", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clusterwidget", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    train = commands.add_parser(
        "train",
        help="train a model that adds two four-digit numbers",
        description="Train a model that adds two four-digit numbers. Without options this is how "
        "the shipped model was made.",
    )
    train.add_argument("--seed", type=int, help="decides every random choice")
    train.add_argument("--steps", type=_positive, help="how many batches to train on")
    train.add_argument(
        "--output",
        type=Path,
        default=Path("adder.safetensors"),
        help="file to write the weights to (default: %(default)s)",
    )
    train.add_argument("--device", default="cpu", help="where to train (default: %(default)s)")
    train.set_defaults(run=_train, when_interrupted="Nothing was written.")

    verify = commands.add_parser(
        "verify",
        help="count the model's wrong answers",
        description="Count the model's wrong answers among 1,000,000 random problems and 200 of "
        "each carry pattern (every column below 9, equal to 9 or above 9, in all 81 "
        "combinations), or among all 100,000,000. Exits with 1 if there are any.",
    )
    verify.add_argument(
        "--all",
        action="store_true",
        help="check all 100,000,000 problems, computing what they have in common only once",
    )
    verify.add_argument(
        "--weights", type=Path, help="file that `train` wrote (default: the shipped model)"
    )
    verify.add_argument("--device", help="where to compute (default: a GPU if there is one)")
    verify.add_argument(
        "--progress-file",
        type=Path,
        default=Path("adder-verification-progress.json"),
        help="with --all: where to keep what is done, so that the same command goes on after an "
        "interruption (default: %(default)s)",
    )
    verify.add_argument(
        "--record",
        action="store_true",
        help="with --all: write what was found to a .json file next to the weights",
    )
    verify.set_defaults(
        run=_verify, when_interrupted="With --all, the same command goes on where it stopped."
    )

    atlas = commands.add_parser(
        "atlas",
        help="tabulate what every stage of the model stands for",
        description="Write the explained share of every concept at every stage of the model that "
        "adds, as a table, and as a picture if asked.",
    )
    atlas.add_argument(
        "--problems", type=_positive, default=10_000, help="how many (default: %(default)s)"
    )
    atlas.add_argument("--seed", type=int, default=0, help="of the problems (default: %(default)s)")
    atlas.add_argument(
        "--kinds", nargs="+", help="kinds of stages, such as result attn_out (default: all)"
    )
    atlas.add_argument(
        "--weights", type=Path, help="file that `train` wrote (default: the shipped model)"
    )
    atlas.add_argument(
        "--output", type=Path, default=Path("atlas.csv"), help="the table (default: %(default)s)"
    )
    atlas.add_argument("--picture", type=Path, help="a picture, .png, .svg or .pdf")
    atlas.set_defaults(run=_atlas, when_interrupted="Nothing was written.")

    tests = commands.add_parser(
        "tests",
        help="tabulate whether the model that adds uses what its stages hold",
        description="Print the swap tests of what heads, attention and MLPs write where an answer "
        "is read, as a Markdown table: what is enough, and what the answer follows.",
    )
    tests.add_argument(
        "--problems", type=_positive, default=10_000, help="how many (default: %(default)s)"
    )
    tests.add_argument(
        "--pairs", type=_positive, default=1000, help="pairs of each test (default: %(default)s)"
    )
    tests.add_argument("--seed", type=int, default=0, help="of problems and pairs")
    tests.set_defaults(run=_tests, when_interrupted="Nothing was printed.")

    export = commands.add_parser(
        "export",
        help="write a saved exploration as a page that needs no kernel",
        description="Write a saved exploration as a page that opens in a browser by itself: one "
        "file, or a folder for a static host.",
    )
    export.add_argument("exploration", help="what `Explorer.save` wrote, such as adder.zarr")
    export.add_argument("path", help="a file that ends in .html, or a folder, such as page/")
    export.add_argument(
        "--stages", nargs="+", help="addresses, such as L1H0.result@S3 (default: worth seeing)"
    )
    export.add_argument("--stage", help="the stage that is shown first")
    export.add_argument("--selected", type=int, help="index of the example that is shown first")
    export.add_argument("--limit", default="20MB", help="of the page (default: %(default)s)")
    export.add_argument("--dtype", default="float32", help="float32, or float16 for half the room")
    export.add_argument(
        "--overwrite", action="store_true", help="also over what is no earlier page"
    )
    export.set_defaults(run=_export, when_interrupted="Nothing was written.")

    add_serve(commands, {"adder": _adder})

    save = commands.add_parser(
        "save-demo",
        help="save the worked example, so that cw.demo() opens it at once",
        description="Save the worked example in the user's cache, some 380 MB, so that cw.demo() "
        "opens it at once, without torch. CLUSTERWIDGET_CACHE names another folder.",
    )
    save.add_argument(
        "--problems", type=_positive, default=10_000, help="how many (default: %(default)s)"
    )
    save.set_defaults(run=_save_demo, when_interrupted="Nothing was saved.")
    return parser


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return number


def _train(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from .addition.model import Config, fingerprint, save_model
    from .addition.shipped import WEIGHTS, load_model
    from .addition.training import Recipe, train

    chosen = {name: getattr(options, name) for name in ("seed", "steps")}
    recipe = Recipe(**{name: value for name, value in chosen.items() if value is not None})
    _check_device(options.device)
    with tqdm(total=recipe.steps, unit="step", disable=None) as bar:

        def on_step(step: int, loss: float) -> None:
            bar.set_postfix(loss=f"{loss:.2g}", refresh=False)
            bar.update()

        config = Config()
        model, record = train(recipe, config, options.device, on_step)
    save_model(options.output, model, config, record)
    print(f"Wrote {options.output}. Check it with: clusterwidget verify --weights {options.output}")
    if WEIGHTS.exists():
        same = fingerprint(model) == fingerprint(load_model("cpu"))
        print(f"These weights {'are' if same else 'are not'} the shipped ones, bit for bit.")
    return _RIGHT


def _verify(options: argparse.Namespace) -> int:
    from .addition.arithmetic import NUMBERS
    from .addition.model import read_model
    from .addition.shipped import WEIGHTS
    from .addition.verification import sample, verify_all, verify_sample

    if options.record and not options.all:
        raise ValueError("--record keeps what was found among all problems: add --all.")
    if options.device is not None:
        _check_device(options.device)
    weights = options.weights or WEIGHTS
    model = read_model(weights, options.device)
    if options.all:
        with _bar(NUMBERS**2) as bar:
            tally, seconds = verify_all(model, options.progress_file, bar.update)
        if options.record:
            _write_record(weights, model, tally, seconds)
    else:
        left, right = sample()
        started = time.monotonic()
        with _bar(len(left)) as bar:
            tally = verify_sample(model, left, right, bar.update)
        seconds = time.monotonic() - started
    print(f"{tally.wrong:,} wrong of {tally.checked:,} problems.")
    print(f"{seconds:,.0f} s, {tally.checked / seconds:,.0f} problems a second.")
    print(f"Smallest margin: {tally.smallest_margin:.3f}, at {tally.tightest}.")
    if tally.failures:
        print("The first that are wrong:", *tally.failures, sep="\n  ")
    return _WRONG if tally.wrong else _RIGHT


def _atlas(options: argparse.Namespace) -> int:
    import clusterwidget as cw

    from .addition.model import read_model
    from .addition.shipped import WEIGHTS
    from .core.files import write_whole

    for path in filter(None, (options.output, options.picture)):
        if not path.absolute().parent.is_dir():
            raise ValueError(
                f"there is no folder {path.absolute().parent} to write {path.name} to."
            )
    if options.picture and options.picture.suffix not in _PICTURES:
        raise ValueError(f"a picture ends in {', '.join(_PICTURES)}, not {options.picture.name}.")
    model = read_model(options.weights or WEIGHTS, None)
    explorer = cw.Explorer(model, cw.addition.problems(options.problems, seed=options.seed))
    found = explorer.atlas_of(explorer.stages(kinds=options.kinds))
    table = found.table()
    meanings = found.meanings()
    table.insert(0, "meaning", [meanings[stage] for stage in found.stages])
    write_whole(options.output, table.to_csv(float_format="%.4f").encode())
    print(f"Wrote {options.output}: {len(table):,} stages, {table.shape[1] - 1} concepts.")
    for note in found.partitions.notes:
        print(note)
    if options.picture:
        write_whole(options.picture, _picture_of(explorer, found, options.picture.suffix[1:]))
        print(f"Wrote {options.picture}.")
    return _RIGHT


def _adder() -> tuple[Callable[[], Any], Callable[[str], Any]]:
    from . import addition

    return addition.load_model, addition.parse


def _picture_of(explorer: Explorer, found: Atlas, ending: str) -> bytes:
    import io

    from matplotlib import pyplot

    from .plot.maps import atlas

    # No window: the command draws where there is no screen as well.
    pyplot.switch_backend("agg")
    figure = atlas(explorer, found).get_figure(root=True)
    assert figure is not None
    file = io.BytesIO()
    figure.savefig(file, format=ending, dpi=150)
    pyplot.close(figure)
    return file.getvalue()


def _tests(options: argparse.Namespace) -> int:
    import clusterwidget as cw

    from .results.table import markdown

    problems = cw.addition.problems(options.problems, seed=options.seed)
    explorer = cw.Explorer(cw.addition.load_model(), problems)
    stages = list(explorer.swap_tests(pairs=options.pairs, seed=options.seed).index)
    arguments = {"pairs": options.pairs, "seed": options.seed}
    print(markdown([explorer.swap_test(stage, **arguments) for stage in stages]))
    return _RIGHT


def _export(options: argparse.Namespace) -> int:
    import traitlets

    import clusterwidget as cw

    shown = {name: getattr(options, name) for name in ("stage", "selected")}
    try:
        widget = cw.ClusterWidget(
            cw.open(options.exploration),
            **{name: value for name, value in shown.items() if value is not None},
        )
    except traitlets.TraitError as error:
        raise ValueError(str(error)) from error
    chosen = {name: getattr(options, name) for name in ("limit", "dtype", "overwrite")}
    print(f"Wrote {widget.export(options.path, options.stages, **chosen)}.")
    return _RIGHT


def _save_demo(options: argparse.Namespace) -> int:
    from .worked import save_demo

    print(f"The worked example is saved in {save_demo(options.problems)}.")
    return _RIGHT


def _write_record(weights: Path, model: Any, tally: Tally, seconds: float) -> None:
    from dataclasses import asdict
    from importlib.metadata import version

    import torch

    from .addition.model import fingerprint
    from .core.files import write_whole

    device = next(model.parameters()).device
    record = {
        "model": fingerprint(model),
        **asdict(tally),
        "seconds": round(seconds),
        "problems_per_second": round(tally.checked / seconds),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "cpus": os.cpu_count(),
        "torch": torch.__version__,
        "transformer_lens": version("transformer-lens"),
    }
    text = json.dumps(record, indent=2) + "\n"
    write_whole(weights.with_suffix(".verified.json"), text.encode())


def _check_device(name: str) -> None:
    import torch

    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"there is no device {name!r} here. Try --device cpu.") from error


def _bar(total: int) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, unit=" problems", unit_scale=True, disable=None, smoothing=0.02)


if __name__ == "__main__":
    sys.exit(main())
