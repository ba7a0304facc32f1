"""The count of unfinished starts, with the power cut at every operation and every torn length."""

from starts import LIMIT, Starts

from tests.unit.flashbed import BLOCK, Flash, PowerCut

RECORD = 16
FULL = BLOCK // RECORD


def test_counts_and_forgets():
    flash = Flash(2)
    assert Starts(flash).unfinished == 0
    for count in range(1, LIMIT + 1):
        assert not Starts(flash).too_many
        Starts(flash).begin()
        assert Starts(flash).unfinished == count
    assert Starts(flash).too_many
    Starts(flash).end()
    assert Starts(flash).unfinished == 0
    used = flash.operations
    Starts(flash).end()
    assert flash.operations == used


def test_goes_round_both_blocks_and_wears_them_evenly():
    flash = Flash(2)
    for _ in range(3 * FULL):
        Starts(flash).begin()
        Starts(flash).begin()
        Starts(flash).end()
        assert Starts(flash).unfinished == 0
    # 9 * FULL records: the first fills an erased block, each further full block costs an erase.
    assert flash.operations == 9 * FULL + 9 - 1


def test_a_cut_at_any_operation_loses_at_most_that_record():
    seen = 0
    for landed in (0, 1, 7, 12, 15, 16):
        for filled in (0, 1, FULL - 2, FULL - 1, FULL, 2 * FULL - 1):
            flash = Flash(2)
            for _ in range(filled):
                Starts(flash).begin()
            before = Starts(flash).unfinished
            for cut in (1, 2):
                torn = flash.power_on()
                torn.cut_at, torn.landed = cut, landed
                starts = Starts(torn)
                try:
                    starts.begin()
                except PowerCut:
                    seen += 1
                after = Starts(torn.power_on())
                assert after.unfinished in (before, before + 1)
                after.begin()
                assert Starts(after._device).unfinished == after.unfinished
                after.end()
                assert Starts(after._device).unfinished == 0
    assert seen > 40


def test_rubbish_is_no_count():
    flash = Flash(image=b"\x5a" * 2 * BLOCK)
    starts = Starts(flash)
    assert starts.unfinished == 0
    starts.begin()
    assert Starts(flash).unfinished == 1
