"""The two limits of PIN entry, on a clock that the test owns: token bucket and deadline."""

import pytest

from tests.core.desk import PAN, SLOT_PIN, enter, working_core
from tests.core.pinmac_core import Core

HOUR_MS, DAY_MS, WRAP = 3_600_000, 86_400_000, 1 << 32
PER_HOUR, BURST, DRIP_MS = 120, 10, 30_000  # what PINMAC.md sets for release boards


@pytest.fixture
def core() -> Core:
    core = working_core()
    core.board.switches.pins_per_hour = PER_HOUR
    core.board.switches.pins_burst = BURST
    return core


def attempt(core: Core, slot: int = SLOT_PIN) -> str:
    """One whole entry; the result of its PIN block. Whatever it is, the entry is over."""
    enter(core, "1234")
    result, _ = core.pin_block(slot, 0, PAN)
    assert core.pin_length()[0] == "NO_PIN_ENTRY"
    return result


def advance(core: Core, ms: int) -> None:
    core.board.switches.now_ms = (core.board.switches.now_ms + ms) % WRAP


def take_all(core: Core) -> int:
    """Encryptions until the limit says no."""
    taken = 0
    while (result := attempt(core)) == "OK":
        taken += 1
    assert result == "PIN_LIMIT"
    return taken


@pytest.mark.parametrize("step_ms", [3_000, 7_321, 29_999, 30_000])
def test_a_tireless_caller_gets_the_burst_and_then_the_drip(core: Core, step_ms: int) -> None:
    """A day of tries at every step: burst + 120 an hour and not one more, whatever the pace."""
    core.board.switches.now_ms = WRAP - DAY_MS // 2  # the clock wraps at noon
    done = take_all(core)
    assert done == BURST
    for _ in range(DAY_MS // step_ms):
        advance(core, step_ms)
        done += attempt(core) == "OK"
    rest = DAY_MS - DAY_MS // step_ms * step_ms
    advance(core, rest)
    done += attempt(core) == "OK"
    assert done == BURST + PER_HOUR * 24


def test_a_token_drips_in_exactly_its_time(core: Core) -> None:
    assert take_all(core) == BURST
    advance(core, DRIP_MS - 1)
    assert attempt(core) == "PIN_LIMIT"
    advance(core, 1)
    assert attempt(core) == "OK" and attempt(core) == "PIN_LIMIT"


def test_refused_tries_cost_nothing(core: Core) -> None:
    """Neither a refusal by the limit nor one before it takes a token or sets the drip back."""
    assert take_all(core) == BURST
    for _ in range(DRIP_MS // 1_000 - 1):
        advance(core, 1_000)
        assert attempt(core) == "PIN_LIMIT"
    advance(core, 1_000)
    for _ in range(20):
        assert attempt(core, slot=SLOT_PIN + 1) != "OK"  # no PIN key there
    assert attempt(core) == "OK"


def test_the_bucket_never_holds_more_than_the_burst(core: Core) -> None:
    assert take_all(core) == BURST
    advance(core, 30 * DAY_MS)
    assert take_all(core) == BURST


def test_half_a_token_is_kept(core: Core) -> None:
    assert take_all(core) == BURST
    advance(core, DRIP_MS + DRIP_MS // 2)
    assert take_all(core) == 1
    advance(core, DRIP_MS // 2)
    assert take_all(core) == 1


def test_power_on_state(core: Core) -> None:
    """A board that was just switched on has the burst, whatever its clock says."""
    for now in (0, 5, WRAP - 1):
        core = working_core()
        core.board.switches.pins_per_hour, core.board.switches.pins_burst = PER_HOUR, BURST
        core.board.switches.now_ms = now
        assert take_all(core) == BURST


def test_no_policy_no_limit() -> None:
    core = working_core()
    assert [attempt(core) for _ in range(200)] == ["OK"] * 200


ENTRY_MS = 60_000


@pytest.mark.parametrize("opened_at", [0, 1, WRAP - 1, WRAP - ENTRY_MS, WRAP - ENTRY_MS // 2])
@pytest.mark.parametrize("call", ["digit", "back", "length", "block"])
def test_the_deadline_at_its_edge(opened_at: int, call: str) -> None:
    """The last millisecond still counts; the one after it wipes, over the clock's wrap too."""
    core = working_core()
    core.board.switches.pin_entry_ms = ENTRY_MS
    use = {"digit": lambda: core.pin_digit(5), "back": core.pin_back, "length": core.pin_length,
           "block": lambda: core.pin_block(SLOT_PIN, 0, PAN)}[call]
    for late, result in ((0, "OK"), (1, "PIN_EXPIRED")):
        core.board.switches.now_ms = opened_at
        enter(core, "1234")
        advance(core, ENTRY_MS + late)
        assert use()[0] == result
        # Within the time again, but what was wiped stays away.
        core.board.switches.now_ms = opened_at
        ended = late == 1 or call == "block"
        assert core.pin_length()[0] == ("NO_PIN_ENTRY" if ended else "OK")


def test_digits_do_not_extend_the_deadline() -> None:
    core = working_core()
    core.board.switches.pin_entry_ms = ENTRY_MS
    enter(core, "1")
    for _ in range(5):
        advance(core, ENTRY_MS // 5)
        assert core.pin_digit(1)[0] == "OK"
    advance(core, 1)
    assert core.pin_digit(1)[0] == "PIN_EXPIRED"


def test_a_new_entry_has_its_whole_time() -> None:
    core = working_core()
    core.board.switches.pin_entry_ms = ENTRY_MS
    enter(core, "1")
    advance(core, 2 * ENTRY_MS)
    enter(core, "1234")
    advance(core, ENTRY_MS)
    assert core.pin_block(SLOT_PIN, 0, PAN)[0] == "OK"
