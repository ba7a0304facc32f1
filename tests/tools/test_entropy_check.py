"""The check of the linked entropy source: true of the sim board, and it sees weak ones."""

import subprocess
from pathlib import Path

import pytest

from tools.check.entropy import EntropyError, check_bare, check_sim
from tools.check.pinmac import declarations

# A program with the shape of the sim board's: each file's text by its name.
HONEST = {
    "port": "void mp_hal_get_random(int, void *);\n"
            "void pinmac_port_random(void *p) { mp_hal_get_random(8, p); }",
    "clock": "void __real_mp_hal_get_random(int, void *);\n"
             "void __wrap_mp_hal_get_random(int n, void *p) { __real_mp_hal_get_random(n, p); }",
    "mphal": "long getrandom(void *, unsigned long, int);\n"
             "void mp_hal_get_random(int n, void *p) { getrandom(p, n, 0); }",
    "modrandom": "static int pad; static int next(void) { return pad *= 5; }\n"
                 "int mod_random(void) { return next(); }",
    "core": "void pinmac_port_random(void *);\nstatic char c;\nvoid pinmac_generate(void);\n"
            "void pinmac_generate(void) { pinmac_port_random(&c); }",
}


def program(folder: Path, **changed: str) -> Path:
    """Compile the program, some of its files changed; the map that names its objects."""
    others = set(declarations()) - {"pinmac_generate"}
    stubs = "\n".join(f"void {name}(void) {{ }}" for name in others)
    files = {**HONEST, "others": stubs, **changed}
    lines = []
    for name, text in files.items():
        (folder / f"{name}.c").write_text(text)
        subprocess.run(["gcc", "-O1", "-ffunction-sections", "-fno-builtin", "-c", f"{name}.c"],
                       cwd=folder, check=True)
        lines.append(f"LOAD {folder / name}.o\n")
    (folder / "program.map").write_text("".join(lines))
    return folder / "program.map"


def test_the_sim_board_takes_its_entropy_from_the_kernel() -> None:
    assert "mp_hal_get_random > getrandom" in check_sim()


def test_an_honest_program_passes(tmp_path: Path) -> None:
    assert "getrandom" in check_sim(program(tmp_path))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("port", "int rand(void); void pinmac_port_random(char *p) { *p = rand(); }",
         "a weak generator: pinmac_port_random > rand"),
        ("port", "long random(void); void mp_hal_get_random(int, void *);\n"
                 "static char pick(void) { return random(); }\n"
                 "void pinmac_port_random(char *p) { mp_hal_get_random(8, p); *p = pick(); }",
         "> random"),
        ("mphal", "int mod_random(void);\n"
                  "void mp_hal_get_random(int n, char *p) { while (n--) p[n] = mod_random(); }",
         "mp_hal_get_random > mod_random"),
        ("core", "double drand48(void); double pinmac_generate(void) { return drand48(); }",
         "pinmac_generate > drand48"),
        ("port", "void esp_fill_random(void *, int);\n"
                 "void pinmac_port_random(void *p) { esp_fill_random(p, 8); }",
         "pinmac_port_random does not call __wrap_mp_hal_get_random"),
        ("mphal", "long getrandom(void *, unsigned long, int); long clock(void);\n"
                  "void mp_hal_get_random(int n, long *p) { getrandom(p, n, 0); *p ^= clock(); }",
         "an unknown source"),
        ("core", "static int unused;", "not in the program: pinmac_generate"),
    ],
)
def test_a_weak_source_is_seen(name: str, text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(EntropyError, match=words):
        check_sim(program(tmp_path, **{name: text}))


@pytest.mark.parametrize("source", ["pinmac_test_only_entropy_of_host", "esp_fill_random"])
def test_the_bare_board_says_that_its_source_is_for_tests(source: str, tmp_path: Path) -> None:
    text = f"void {source}(void *p) {{ *(volatile char *)p = 4; }}\n" + HONEST["port"].replace(
        "mp_hal_get_random(8, p)", f"{source}(p)") + "".join(
        f"\nvoid {name}(void) {{ }}" for name in declarations())
    (tmp_path / "bare.c").write_text(text)
    subprocess.run(["riscv64-unknown-elf-gcc", "-O1", "-fno-inline", "-march=rv32imac",
                    "-mabi=ilp32", "-nostdlib", "-Wl,-e,0", "-o", "bare.elf", "bare.c"],
                   cwd=tmp_path, check=True)
    if "test_only" in source:
        assert source in check_bare(tmp_path / "bare.elf")
    else:
        with pytest.raises(EntropyError, match="not named test-only: " + source):
            check_bare(tmp_path / "bare.elf")
