"""`make check`'s arrows: one that runs back is found, and the repository as it stands has none."""

from pathlib import Path

import pytest

from tools.check import layers


def test_no_arrow_runs_back() -> None:
    assert layers.survey()[1] == []


@pytest.mark.parametrize(
    ("place", "line", "said"),
    [
        ("firmware/ui/spoilt.py", "import machine", "firmware may not import machine"),
        ("firmware/ledger/spoilt.py", "from firmware.flows import sale", "floor ledger"),
        ("firmware/ui/spoilt.py", "from firmware.link import errors", "floor ui"),
        ("lib/spoilt.py", "from firmware.ui import screens", "lib may not import firmware"),
        ("tools/spoilt.py", "from firmware import app", "tools may not import firmware"),
        ("board/esp32s3/spoilt.py", "from tools.sim import clock", "board may not import tools"),
    ],
)
def test_an_arrow_that_runs_back_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, line: str, said: str
) -> None:
    for room in ("firmware", "lib", "board", "tools"):
        (tmp_path / room).mkdir()
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line + "\n")
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    assert any(said in fault for fault in layers.survey()[1])
