"""Check the boards' sdkconfig files: every option exists in ESP-IDF, and a release is closed.

ESP-IDF ignores an option that it does not know, so a slip of the pen would open a door in silence.
An option is known when MicroPython's own boards set it (the pinned sources), or when it was read
in the Kconfig file of ESP-IDF that KCONFIG names. Run as `python -m tools.check.config`.
"""

import re
import sys
from pathlib import Path

from tools.check.boards import MICROPYTHON, Board, espressif

PORT = MICROPYTHON / "ports" / "esp32"
OPTION = re.compile(r"^CONFIG_([A-Z0-9_]+)=(.*)$")
VALUE = re.compile(r'^(y|n||"[^"]*"|-?\d+|0x[0-9A-Fa-f]+)$')

# Kconfig file (under ESP-IDF's components/) → the options read there that we use.
KCONFIG = {
    "bootloader/Kconfig.projbuild": (
        "SECURE_BOOT", "SECURE_BOOT_V2_ENABLED", "SECURE_SIGNED_APPS_RSA_SCHEME",
        "SECURE_BOOT_BUILD_SIGNED_BINARIES", "SECURE_BOOT_INSECURE", "SECURE_BOOT_ALLOW_JTAG",
        "SECURE_ENABLE_SECURE_ROM_DL_MODE", "SECURE_FLASH_ENC_ENABLED",
        "SECURE_FLASH_ENCRYPTION_MODE_RELEASE",
    ),
    "nvs_flash/Kconfig": ("NVS_ENCRYPTION",),
    "nvs_sec_provider/Kconfig": ("NVS_SEC_KEY_PROTECT_USING_FLASH_ENC",),
    "espcoredump/Kconfig": ("ESP_COREDUMP_ENABLE_TO_NONE",),
    "partition_table/Kconfig.projbuild": ("PARTITION_TABLE_OFFSET",),
    "mbedtls/Kconfig": (
        "MBEDTLS_SSL_PROTO_TLS1_3", "MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE",
        "MBEDTLS_SSL_KEEP_PEER_CERTIFICATE",
    ),
}  # fmt: skip

# What every image has, and what one that leaves the workshop has besides.
ALWAYS = {
    "BOOTLOADER_APP_ROLLBACK_ENABLE": "y",
    "MBEDTLS_SSL_PROTO_TLS1_3": "y",
    "MBEDTLS_HAVE_TIME_DATE": "y",
    "PARTITION_TABLE_CUSTOM": "y",
    "PARTITION_TABLE_OFFSET": "0x10000",
    "ESPTOOLPY_FLASHSIZE_16MB": "y",
}
RELEASE = {
    "SECURE_BOOT": "y",
    "SECURE_BOOT_V2_ENABLED": "y",
    "SECURE_BOOT_BUILD_SIGNED_BINARIES": "n",
    "SECURE_BOOT_INSECURE": "n",
    "SECURE_BOOT_ALLOW_JTAG": "n",
    "SECURE_ENABLE_SECURE_ROM_DL_MODE": "y",
    "SECURE_FLASH_ENC_ENABLED": "y",
    "SECURE_FLASH_ENCRYPTION_MODE_RELEASE": "y",
    "NVS_ENCRYPTION": "y",
    "NVS_SEC_KEY_PROTECT_USING_FLASH_ENC": "y",
    "ESP_COREDUMP_ENABLE_TO_NONE": "y",
    "BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP": "n",
}


# Written into the build folder by espressif.cmake, so there is no such file here.
WRITTEN = "sdkconfig.partitions"


def known() -> set[str]:
    """Every option that there is, as far as this check knows."""
    names = {name for options in KCONFIG.values() for name in options}
    for path in (PORT / "boards").rglob("sdkconfig*"):
        if path.is_file():
            names |= set(re.findall(r"CONFIG_([A-Z0-9_]+)", path.read_text(encoding="utf-8")))
    return names


def options(path: Path) -> list[tuple[str, str]]:
    """(name, value) of every line that sets one."""
    found = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            match = OPTION.match(line)
            found.append((match[1], match[2]) if match else (line, "?"))
    return found


def chain(folder: Path, release: bool) -> list[Path]:
    """The files that a build of a board's folder joins, as its CMake files name them, in order."""
    files = []
    names = ["mpconfigboard.cmake"] + ["mpconfigvariant_release.cmake"] * release
    for script in (folder / name for name in names):
        for place in _named(script, folder):
            script_too = place.suffix == ".cmake" and place.exists()
            files += _named(place, folder) if script_too else [place]
    return [path for path in files if path.name != WRITTEN]


def _named(script: Path, folder: Path) -> list[Path]:
    """What a CMake file adds to SDKCONFIG_DEFAULTS, and the scripts that it includes."""
    places = {"MICROPY_BOARD_DIR": folder, "CMAKE_CURRENT_LIST_DIR": script.parent}
    text = re.sub(r"^\s*#.*$|file\(WRITE.*", "", script.read_text(encoding="utf-8"), flags=re.M)
    found = []
    for name in re.findall(r"[\w${}./]*(?:sdkconfig\.\w+|/\w+\.cmake)", text):
        for variable, place in places.items():
            name = name.replace(f"${{{variable}}}", str(place))
        found.append((PORT / name).resolve())
    return found


def faults(board: Board) -> list[str]:
    """A sentence for each thing that is wrong with a board's files."""
    found: list[str] = []
    names = known()
    for release in (False, True):
        files = chain(board.folder, release)
        missing = [path.name for path in files if not path.exists()]
        if missing:
            return [*found, f"the CMake files name {', '.join(missing)}, which is not there"]
        ours = [path for path in files if not path.is_relative_to(PORT)]
        for path in ours if release else ():
            for name, value in options(path):
                if not VALUE.match(value):
                    found.append(f"{path.name}: {name} has no value that Kconfig knows")
                if name not in names:
                    found.append(f"{path.name}: CONFIG_{name} is in no Kconfig file that was read")
        merged = dict(pair for path in files for pair in options(path))
        wanted = ALWAYS | board.sdkconfig | (RELEASE if release else {})
        profile = "release" if release else "development"
        found += [
            f"{profile}: CONFIG_{name} is {merged.get(name, 'not set')}, not {value}"
            for name, value in wanted.items()
            if merged.get(name) != value
        ]
    return found


def main() -> None:
    """One line a board; exit with the sentences of what is wrong."""
    for board in espressif():
        wrong = faults(board)
        if wrong:
            sys.exit(f"config: {board.name}: " + "; ".join(wrong))
        count = len({name for f in chain(board.folder, True) for name, _ in options(f)})
        print(f"  {board.name}: {count} options of a release exist, and its doors are closed")


if __name__ == "__main__":
    main()
