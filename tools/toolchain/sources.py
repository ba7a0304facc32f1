"""Fetch the pinned, signature-checked sources of MicroPython and mbedTLS.

Debian's own archive carries both as source packages. apt verifies the archive's signature with the
distribution's keyring, applies Debian's patches, and needs neither root nor the system's lists;
the upstream tarball's SHA-256 is checked as well. Our own patches (`patches/`) come on top. Only
the standard library is used: this runs before the virtual environment exists.

Run as `python3 -m tools.toolchain.sources BUILD_DIR`. `MICROPYTHON_DIR` and `MBEDTLS_DIR` name
checkouts to use instead on other systems. A checkout is never changed: what needs a patch that it
has not got is copied first.
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

# MicroPython leaves the bytes of what it frees where they were, until something else needs the
# room. A card's answers, its track and the PIN block pass through such objects on their way, in
# our code and in asyncio's, and no care above can overwrite what is immutable. So the collector
# itself clears: a string ends with the collection after its last use, and each flow ends with one.
# That collection finds the flow's objects dead only if nobody's frame still points at them. Hence
# the second patch: an ended coroutine drops its locals, else a finished task would keep them.
PATCHES = {
    "micropython": ("micropython-gc-clear.patch", "micropython-generator-clear.patch"),
    "mbedtls": (),
}
PATCH_FOLDER = Path(__file__).parent / "patches"
PATCH = ["patch", "-p1", "--fuzz=0", "--force", "--no-backup-if-mismatch"]


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


def fits(tree: Path, patch: Path, *backwards: str) -> bool:
    """Whether a patch applies to the tree exactly; with `-R`, whether it is applied already."""
    command = [*PATCH, "--dry-run", *backwards, "-i", str(patch)]
    done = subprocess.run(command, cwd=tree, capture_output=True, check=False)
    return done.returncode == 0


def lacking(name: str, tree: Path) -> list[Path]:
    """Our patches that the tree has not got. SourceError when one neither is there nor fits."""
    if shutil.which("patch") is None:
        raise SourceError("the program 'patch' is missing. Install the package 'patch'.")
    absent = [
        PATCH_FOLDER / patch
        for patch in PATCHES[name]
        if not fits(tree, PATCH_FOLDER / patch, "-R")
    ]
    for patch in absent:
        if not fits(tree, patch):
            raise SourceError(
                f"{patch.name} does not fit {tree}. Is it {name} {PINS[name][0].split('+')[0]}?"
            )
    return absent


def patchable(name: str, tree: Path) -> bool:
    """Whether each of our patches is there or fits."""
    try:
        lacking(name, tree)
    except SourceError:
        return False
    return True


def patched(name: str, tree: Path, copy: Path) -> Path:
    """The tree with our patches: itself if it has them, else patched in place, or patched in
    `copy` when the two are different."""
    absent = lacking(name, tree)
    if absent and copy != tree:
        shutil.rmtree(copy, ignore_errors=True)
        # Without .git: a version taken from the checkout's history would not know the patches.
        shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        tree = copy
    for patch in absent:
        run([*PATCH, "-i", str(patch)], tree, f"Is {tree} writable?")
    return tree


def provide(build: Path) -> None:
    """Leave `build/sources/NAME` for every pinned package; what is there already is kept, and
    gets the patches that it lacks."""
    folder = build / "sources"
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    listed = False
    for name in PINS:
        link = folder / name
        given = os.environ.get(OVERRIDES[name])
        there = link.resolve()
        ours = there.parent == folder
        if ours and link.exists() and not patchable(name, there):
            link.unlink()  # patched by an older edition of our patches: begin anew
        if not link.exists() and given:
            link.symlink_to(Path(given).resolve())
            there, ours = link.resolve(), False
        if link.exists():
            tree = patched(name, there, there if ours else folder / f"{name}-patched")
            if tree != there:
                link.unlink()
                link.symlink_to(tree.name)
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
        tree = fetch(name, folder)
        link.symlink_to(patched(name, tree, tree).name)


if __name__ == "__main__":
    try:
        provide(Path(sys.argv[1]).resolve())
    except SourceError as error:
        sys.exit(f"sources: {error}")
