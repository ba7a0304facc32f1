"""The Python face of the core is whole, and the board behind it is the one the C port sees."""

import ctypes

from tests.core.desk import MASTER, PIN_KEY, SLOT_MASTER, SLOT_PIN, under, working_core
from tests.core.pinmac_core import RESULTS, SLOTS, Board, Core
from tools.check.pinmac import declarations, header


def test_every_declared_call_has_its_method() -> None:
    """A call that is added to core/pinmac.h cannot be forgotten here."""
    declared = {name.removeprefix("pinmac_") for name in declarations()}
    methods = {name for name in vars(Core) if not name.startswith("_")}
    assert declared - methods == set()
    assert methods - declared == {"reboot", "function", "snapshot"}


def test_the_parser_sees_every_declaration() -> None:
    """Each `pinmac_…(` of the header is a function that the parser found."""
    assert header("pinmac.h").count("(") == len(declarations())


def test_every_result_has_a_sentence_and_a_kind() -> None:
    core = Core()
    text = core.function("pinmac_result_text")
    text.restype = ctypes.c_char_p
    sentences = [text(value).decode() for value in RESULTS]
    assert len(set(sentences)) == len(RESULTS) and all(sentences)
    assert {core.function("pinmac_result_kind")(value) for value in RESULTS} == {0, 1, 2, 3}


def test_two_cores_share_nothing() -> None:
    one, other = working_core(), Core()
    assert one.kcv(SLOT_PIN)[0] == "OK" and other.kcv(SLOT_PIN)[0] == "SLOT_EMPTY"
    assert one.board.stores.records == 2 and other.board.stores.records == 0


def test_a_reboot_loses_the_slots_and_keeps_the_stores() -> None:
    core = working_core()
    before = bytes(core.board)
    sealed = core.seal(SLOT_PIN)[1]
    before = before[:ctypes.sizeof(Board) - 8]  # all but the state of the entropy
    core.reboot()
    assert bytes(core.board).startswith(before)
    assert [core.kcv(slot)[0] for slot in range(SLOTS)] == ["SLOT_EMPTY"] * SLOTS
    result, kcv = core.unseal(SLOT_PIN, sealed)
    assert (result, kcv) == ("OK", under(MASTER, PIN_KEY)[1][:3])
    assert core.kcv(SLOT_MASTER)[0] == "SLOT_EMPTY"
