"""Set-up that cannot go on ends in one sentence with the remedy."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.toolchain import packages, sources

ROOT = Path(__file__).resolve().parents[2]


def run(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, **environment}, check=False, timeout=120,
    )  # fmt: skip


def test_no_network_is_told_with_its_remedy(tmp_path: Path) -> None:
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy")}
    done = run("tools.toolchain.sources", str(tmp_path), **nowhere)
    assert done.returncode == 1
    assert "Is the network up?" in done.stderr.strip().split("\n")[-1]


def test_an_altered_tarball_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tarball = tmp_path / sources.PINS["mbedtls"][1]
    tarball.write_bytes(b"something else")
    monkeypatch.setattr(sources, "run", lambda *_: "")
    with pytest.raises(sources.SourceError, match=hashlib.sha256(b"something else").hexdigest()):
        sources.fetch("mbedtls", tmp_path)


MPY = ROOT / "build" / "sources" / "micropython"
CLEARED = sources.PATCHES["micropython"]


def checkout(folder: Path, *backwards: str) -> Path:
    """The files of MicroPython that our patches touch, without (`-R`) or with them."""
    (folder / "py").mkdir(parents=True)
    for name in ("gc.c", "objgenerator.c"):
        (folder / "py" / name).write_bytes((MPY / "py" / name).read_bytes())
    if backwards:
        for name in CLEARED:
            patch = str(sources.PATCH_FOLDER / name)
            sources.run([*sources.PATCH, *backwards, "-i", patch], folder, "")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def provided(tmp_path: Path, micropython: Path) -> subprocess.CompletedProcess[str]:
    """The command, with checkouts in the place of both packages."""
    (tmp_path / "mbedtls").mkdir(exist_ok=True)
    return run("tools.toolchain.sources", str(tmp_path / "build"),
               MICROPYTHON_DIR=str(micropython),
               MBEDTLS_DIR=str(tmp_path / "mbedtls"))  # fmt: skip


def test_a_checkout_may_stand_in_for_the_package(tmp_path: Path) -> None:
    given = checkout(tmp_path / "checkout")
    done = provided(tmp_path, given)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build/sources/micropython").resolve() == given
    assert (tmp_path / "build/sources/mbedtls").resolve() == tmp_path / "mbedtls"


def test_a_checkout_without_our_patches_is_copied_and_stays_as_it_was(tmp_path: Path) -> None:
    given = checkout(tmp_path / "checkout", "-R")
    before = contents(given)
    for _ in range(2):
        done = provided(tmp_path, given)
        assert done.returncode == 0, done.stderr
        tree = (tmp_path / "build/sources/micropython").resolve()
        assert tree.parent == tmp_path / "build/sources"
        assert sources.lacking("micropython", tree) == []
        assert contents(given) == before


def test_a_tree_that_was_fetched_without_our_patches_gets_them_once(tmp_path: Path) -> None:
    tree = checkout(tmp_path / "build/sources/micropython-1.25.0", "-R")
    (tree.parent / "micropython").symlink_to(tree.name)
    assert [path.name for path in sources.lacking("micropython", tree)] == [*CLEARED]
    for _ in range(2):
        done = provided(tmp_path, tmp_path)
        assert done.returncode == 0, done.stderr
        assert contents(tree) == {f"py/{name}": (MPY / "py" / name).read_bytes()
                                  for name in ("gc.c", "objgenerator.c")}  # fmt: skip


def test_a_tree_that_our_patches_do_not_fit_is_refused(tmp_path: Path) -> None:
    given = checkout(tmp_path / "checkout", "-R")
    file = given / "py" / "gc.c"
    file.write_text(file.read_text("utf-8").replace("ATB_ANY_TO_FREE(area, block);", ""), "utf-8")
    before = contents(given)
    done = provided(tmp_path, given)
    assert done.returncode == 1
    assert f"micropython-gc-clear.patch does not fit {given}" in done.stderr
    assert contents(given) == before


def test_a_missing_package_is_found_missing() -> None:
    assert packages.missing(["dpkg", "no-such-package-of-debian"]) == ["no-such-package-of-debian"]


def test_without_root_or_sudo_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(packages.shutil, "which", lambda _: None)
    with pytest.raises(packages.PackageError, match="apt-get install swig"):
        packages.install(["swig"])


def test_the_fonts_are_drawn_the_same_every_time(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        assert run("tools.toolchain.fonts", str(tmp_path / folder)).returncode == 0
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
