"""A hand slips at the keyboard: a wrong word, a wrong file. Each ends in words, before any harm."""

from pathlib import Path

import pytest
from bench_hands import pos
from bench_shop import shop


@pytest.mark.parametrize("number", ["../../a1", "a b/c:d1", "SP 00001", "SP00001", "终端000001"])
def test_a_terminal_number_is_letters_and_digits_for_it_names_files(
    tmp_path: Path, number: str
) -> None:
    given = ("--shop", str(shop(tmp_path)), "--port", "/dev/none", "--terminal", number)
    done = pos("provision", *given)
    assert done.returncode == 2 and "letters and digits" in done.stderr
