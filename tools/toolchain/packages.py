"""Install the Debian packages that a purpose needs, if any is missing.

Run as `python3 -m tools.toolchain.packages build`, `… build test` or `… build bare`. Only the
standard library is used. What is installed already costs one `dpkg-query`; the rest is installed
by apt, as root or through sudo, and each failure ends in one sentence that says what to do.
"""

import os
import shutil
import subprocess
import sys

PURPOSES = {
    "build": [
        "gcc",
        "libc6-dev",
        "make",
        "pkg-config",
        "dpkg-dev",
        "python3-venv",
        "python3-dev",
        "git",
        "ca-certificates",
        "xz-utils",
        "bzip2",
        "patch",
        "unifont",
        "fonts-droid-fallback",  # the glyphs of screens and receipts
    ],
    "test": [
        "pcscd",
        "libccid",
        "libpcsclite-dev",
        "swig",
        "libnfc6",
        "libnfc-bin",  # foreign readers
        "cardpeek",  # a foreign reader of EMV cards
        "openssl",  # a second opinion on the cards' certificates
        "gcc-multilib",  # the 32-bit build: object sizes are the ESP32's
        "valgrind",  # the constant-time check of the C module
        "gcc-riscv64-unknown-elf",
        "picolibc-riscv64-unknown-elf",
        "gcc-xtensa-lx106",  # the C module on other processors
        "clang",
        "libclang-rt-14-dev",  # libFuzzer on the C module
        "chromium",  # the page's tests
        "postgresql",  # the acquirer's other database
        "libzbar0",  # reads the QR of a label
    ],
    "bare": [
        "gcc-riscv64-unknown-elf",  # has the 32-bit libraries too
        "picolibc-riscv64-unknown-elf",
        "qemu-system-misc",  # has qemu-system-riscv32
    ],
}


class PackageError(Exception):
    """A package cannot be had; the message says why and what to do."""


def missing(names: list[str]) -> list[str]:
    """Those of `names` that dpkg does not list as installed."""
    if shutil.which("dpkg-query") is None:
        raise PackageError(
            "this is no Debian system: install the counterparts of "
            + " ".join(names)
            + " by hand, then set SUANPAN_PACKAGES=ready."
        )
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    there = {row.split()[0] for row in done.stdout.split("\n") if row.endswith(" installed")}
    return [name for name in names if name not in there]


def install(names: list[str]) -> None:
    """Install `names` with apt, by root or sudo."""
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120"]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise PackageError(
                "run 'apt-get install " + " ".join(names) + "' as root, then again."
            )
        apt = ["sudo", "DEBIAN_FRONTEND=noninteractive", *apt]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print("  installing Debian packages: " + " ".join(names), flush=True)
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *names]):
        done = subprocess.run(
            apt + arguments,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().split("\n")[-4:])
            raise PackageError(
                f"{tail}\napt-get {arguments[0]} failed: is the network up, and are you root or "
                "in sudo? Put it right and run the command again."
            )


def provide(purposes: list[str]) -> None:
    """Install what is missing for the purposes."""
    if os.environ.get("SUANPAN_PACKAGES") == "ready":
        return
    names = [name for purpose in purposes for name in PURPOSES[purpose]]
    absent = missing(names)
    if absent:
        install(absent)


if __name__ == "__main__":
    try:
        provide(sys.argv[1:])
    except PackageError as error:
        sys.exit(f"packages: {error}")
