"""What is built is whole: the bundle is in it, and it works where the sources are not.

The clean environment has the wheel alone; what the wheel depends on is read from the environment
that runs the tests, so that torch is not downloaded once more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.browser.books import ARRAYS, WIDGET, voila_url, write_notebook
from tests.browser.figure import Figure
from tests.browser.fixtures import OpenPage
from tests.browser.servers import Server

ROOT = Path(__file__).parents[2]
SOURCES = ("clusterwidget", "js", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE")
BUNDLE = {
    f"clusterwidget/static/{name}"
    for name in ("widget.js", "widget.css", "page.js", "served.js", "served.css")
}
WEIGHTS = "clusterwidget/addition/adder.safetensors"


def copy_sources(to: Path) -> Path:
    """Copy what a checkout has, nothing that was built or installed."""
    to.mkdir()
    unbuilt = shutil.ignore_patterns("static", "node_modules", "__pycache__")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=unbuilt)
        else:
            shutil.copy2(source, to / name)
    return to


def build(
    folder: Path, kind: str, out: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Build a ``wheel`` or an ``sdist`` with this environment's hatchling."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check"]
    return subprocess.run(
        [*command, f"--{kind}", "--outdir", str(out), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sources(tmp_path_factory.mktemp("checkout") / "clusterwidget")


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel whose bundle the build hook made from the front end's sources."""
    out = tmp_path_factory.mktemp("wheel")
    done = build(checkout, "wheel", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return only(out, "*.whl")


@pytest.fixture(scope="module")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment in which the wheel is installed."""
    home = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    # A path that a .pth names does not have its own .pth files read: not the editable install's.
    dependencies = sysconfig.get_path("purelib")
    only(home, "lib/python*/site-packages").joinpath("dependencies.pth").write_text(dependencies)
    return python


def run(python: Path, code: str, folder: Path) -> str:
    done = subprocess.run(
        [str(python), "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_wheel_has_the_bundle_and_the_weights_and_no_more_than_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= BUNDLE | {WEIGHTS, "clusterwidget/py.typed"}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"clusterwidget"}


def test_wheel_from_the_source_distribution_needs_no_node(checkout: Path, tmp_path: Path) -> None:
    done = build(checkout, "sdist", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(only(tmp_path, "*.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = only(tmp_path, "clusterwidget-*/")
    assert (unpacked / "js" / "src" / "widget.ts").is_file()
    assert not (unpacked / "js" / "node_modules").exists()
    done = build(unpacked, "wheel", tmp_path, PATH=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(zipfile.ZipFile(only(tmp_path, "*.whl")).namelist()) >= BUNDLE


def test_build_without_node_says_what_is_missing(tmp_path: Path) -> None:
    checkout = copy_sources(tmp_path / "clusterwidget")
    done = build(checkout, "wheel", tmp_path, PATH=str(tmp_path))
    assert done.returncode != 0
    assert "needs Node >= 20 with npm on PATH" in done.stdout + done.stderr


def test_import_brings_in_neither_torch_nor_transformer_lens(
    clean_python: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from clusterwidget import ClusterWidget, addition;"
        "addition.problems(10);"
        "print(addition.__file__, {'torch', 'transformer_lens'} & set(sys.modules))"
    )
    where, heavy = run(clean_python, code, tmp_path).split(" ", 1)
    assert Path(where).is_relative_to(clean_python.parents[1])
    assert heavy == "set()"


def test_command_is_installed(clean_python: Path) -> None:
    command = clean_python.with_name("clusterwidget")
    done = subprocess.run([str(command), "--help"], capture_output=True, text=True, check=True)
    assert "verify" in done.stdout


def test_installed_wheel_opens_in_a_page(
    clean_python: Path, voila: Server, open_page: OpenPage
) -> None:
    kernel = voila.home / "data" / "kernels" / "clean"
    kernel.mkdir(parents=True)
    command = [str(clean_python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "clean", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    where = f"assert cw.__file__.startswith({str(clean_python.parents[1])!r})"
    name = write_notebook(voila.root, "wheel", [ARRAYS, where, WIDGET], kernel="clean")
    figure = Figure(open_page(voila_url(voila, name)))
    figure.wait_for_picture()
    figure.click_cell(9)
