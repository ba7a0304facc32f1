"""What the checks of pinmac's core share: its files, what its headers declare, its compilers."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "lib" / "pinmac"
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")

# Name → compiler and what it needs to make objects for that machine. Debian's picolibc gives the
# bare machines their string.h; its specs lie beside gcc for RISC-V, in the library for Xtensa.
COMPILERS = {
    "x86-64": ("gcc",),
    "x86": ("gcc", "-m32"),
    "RV32": ("riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32",
             "--specs=picolibc.specs"),
    "Xtensa": ("xtensa-lx106-elf-gcc", "--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs"),
}


def core_files() -> list[Path]:
    """The C files of the core."""
    return sorted((LIBRARY / "core").glob("*.c"))


def compile_core(machine: str, folder: Path, *flags: str) -> list[Path]:
    """The core's objects for a machine, each compiled alone into `folder`.

    Raises CalledProcessError when a file does not compile; the compiler's words are in `stderr`.
    """
    objects = []
    for source in core_files():
        target = folder / f"{source.stem}.o"
        subprocess.run([*COMPILERS[machine], *STRICT, *flags, "-c", "-o", target, source],
                       check=True, capture_output=True, text=True, cwd=folder)
        objects.append(target)
    return objects


def tool(machine: str, name: str) -> str:
    """A binutils program (nm, ld, objdump) for a machine."""
    return COMPILERS[machine][0].removesuffix("gcc") + name


def plain_c(text: str) -> str:
    """C text without comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
    return re.sub(r"^#[^\n]*", "", text, flags=re.MULTILINE)


def header(name: str) -> str:
    """A header of the core without comments and preprocessor lines."""
    return plain_c((LIBRARY / "core" / name).read_text("utf-8"))


def declarations(name: str = "pinmac.h") -> dict[str, tuple[str, list[str]]]:
    """Every function that a header of the core declares: name → (result type, parameter types)."""
    text = header(name)
    found = {}
    pattern = r"(?:^|[;}])\s*((?:const )?(?:enum |struct )?\w+ \**)(pinmac_\w+)\(([^()]*)\);"
    while match := re.search(pattern, text):
        result, function, parameters = match.groups()
        words = [" ".join(parameter.split()) for parameter in parameters.split(",")]
        found[function] = (result.strip(), [] if words == ["void"] else words)
        text = text[:match.start()] + ";" + text[match.end():]
    return found


def enumerators(header_name: str, name: str) -> dict[str, int]:
    """The constants of `enum name` in a header: name without PINMAC_ → value."""
    match = re.search(r"enum " + name + r"\s*\{([^}]*)\}", header(header_name))
    if match is None:
        raise LookupError(f"{header_name} has no enum {name}")
    values: dict[str, int] = {}
    following = 0
    for entry in filter(None, (part.strip() for part in match.group(1).split(","))):
        word, _, value = (part.strip() for part in entry.partition("="))
        following = int(value, 0) if value else following
        values[word.removeprefix("PINMAC_")] = following
        following += 1
    return values
