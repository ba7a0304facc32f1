"""Fetch the pinned, signature-checked sources of MicroPython and mbedTLS.

Debian's own archive carries both as source packages. apt verifies the archive's signature with the
distribution's keyring, applies Debian's patches, and needs neither root nor the system's lists;
the
upstream tarball's SHA-256 is checked as well. Only the standard library is used: this runs before
the virtual environment exists.

Run as `python3 -m tools.toolchain.sources BUILD_DIR`. `MICROPYTHON_DIR` and `MBEDTLS_DIR` name
checkouts to use instead on other systems.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITE = "trixie"
PINS = {
    "micropython": (
        "1.25.0+ds-1",
        "micropython_1.25.0+ds.orig.tar.xz",
        "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea",
    ),
    "mbedtls": (
        "3.6.6-0.1~deb13u1",
        "mbedtls_3.6.6.orig.tar.bz2",
        "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a",
    ),
}
OVERRIDES = {"micropython": "MICROPYTHON_DIR", "mbedtls": "MBEDTLS_DIR"}


class SourceError(Exception):
    """The sources cannot be had; the message says why and what to do."""


def run(command: list[str], cwd: Path, remedy: str) -> str:
    """Run one command quietly; on failure raise SourceError with its last lines and the remedy."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().split("\n")[-6:])
        raise SourceError(f"{tail}\n{command[0]} failed. {remedy}")
    return done.stdout


def archive_site() -> str:
    """The address of Debian's archive, as this machine's own apt is set up to reach it."""
    rows = run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"],
        Path("/"),
        "Is this a Debian system? Elsewhere set MICROPYTHON_DIR and MBEDTLS_DIR.",
    )
    for row in rows.split("\n"):
        site, _, release = row.partition(" ")
        if release in ("bookworm", "trixie"):
            return site
    raise SourceError("apt knows no Debian archive. Run 'apt-get update' once, as root.")


def apt_options(folder: Path) -> list[str]:
    """apt options that read only our one source line and keep their lists in our own folder."""
    return [
        "-o",
        f"Dir::Etc::sourcelist={folder / 'sources.list'}",
        "-o",
        "Dir::Etc::sourceparts=-",
        "-o",
        f"Dir::State::Lists={folder / 'lists'}",
        "-o",
        "APT::Sandbox::User=root",
    ]


def fetch(name: str, folder: Path) -> Path:
    """Download, verify and unpack one pinned package into `folder`; returns its source tree."""
    version, tarball, digest = PINS[name]
    network = "Is the network up? The sources come from Debian's archive; run the command again."
    run(["apt-get", *apt_options(folder), "source", f"{name}={version}"], folder, network)
    found = hashlib.sha256((folder / tarball).read_bytes()).hexdigest()
    if found != digest:
        raise SourceError(
            f"{tarball} has SHA-256 {found}, not the pinned {digest}: do not use it."
        )
    trees = [p for p in folder.glob(f"{name}-*") if p.is_dir()]
    if len(trees) != 1:
        raise SourceError(f"expected one source tree of {name} in {folder}, found {len(trees)}")
    return trees[0]


def provide(build: Path) -> None:
    """Leave `build/sources/NAME` for every pinned package; what is there already is kept."""
    folder = build / "sources"
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    listed = False
    for name in PINS:
        link = folder / name
        if link.exists():
            continue
        given = os.environ.get(OVERRIDES[name])
        if given:
            link.symlink_to(Path(given).resolve())
            continue
        if not listed:
            line = f"deb-src [signed-by={KEYRING}] {archive_site()} {SUITE} main\n"
            (folder / "sources.list").write_text(line)
            run(
                ["apt-get", *apt_options(folder), "update"],
                folder,
                "Is the network up? Debian's archive did not answer; run the command again.",
            )
            listed = True
        print(f"  fetching {name} {PINS[name][0]}", flush=True)
        for stale in folder.glob(f"{name}-*"):
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        link.symlink_to(fetch(name, folder).name)


if __name__ == "__main__":
    try:
        provide(Path(sys.argv[1]).resolve())
    except SourceError as error:
        sys.exit(f"sources: {error}")
