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


def test_a_checkout_may_stand_in_for_the_package(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    done = run("tools.toolchain.sources", str(tmp_path / "build"), MICROPYTHON_DIR=str(checkout),
               MBEDTLS_DIR=str(checkout))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build/sources/micropython").resolve() == checkout


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
