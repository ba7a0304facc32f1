"""The counter: questions, paper, logins, faults and their ends, with scripted keys."""

import asyncio
import sys

import pinmac
from errors import CoverOpen, DeviceSilent, PaperOut

sys.path.insert(0, "tests/unit")

import desk

from firmware.care.errors import BackOff, OperatorsCorrupt, PasswordForm, PasswordWrong
from firmware.care.faults import FaultLog, masked
from firmware.care.operators import Operators
from firmware.flows import idle, login, moments, printing
from firmware.flows.pos import Pos
from firmware.ledger.record import CHIP, Txn
from firmware.link.errors import NoRoute
from firmware.ui.ask import Cancelled
from firmware.ui.screens import Screens
from firmware.ui.wording import Wording

CLOCK = "virtual"


class Books:
    """What the flows under test ask of ledger, link and parameters."""

    name, merchant, terminal = "测试商户有限公司", "898610154110001", "SP000001"
    connect_ms, connect_tries, reply_ms = 10_000, 3, 60_000
    wish = 0
    signed_on = True

    def __init__(self):
        self.debts = []

    def owed(self):
        return self.debts

    def last(self):
        return sale()

    def card(self, txn):
        return "6225880000071234", "3012", "001"


def counter(keys="", troubles=()):
    """A Pos whose keys are scripted."""
    desk.fresh_data()
    board = desk.Board(keys, troubles)
    words = Wording("zh")
    pos = Pos(board, words, Screens(board.display, words), FaultLog("/data", board.clock))
    pos.ledger = pos.link = pos.shop = Books()
    return pos


def keyed_hash(data):
    import hashlib

    return hashlib.sha256(b"key of this test" + bytes(data)).digest()[:16]


def operators(change=False):
    people = Operators("/data", keyed_hash, pinmac.random)
    people.provision(
        [
            {"number": "01", "password": "0001", "change": change},
            {"number": "00", "password": "123456", "change": False},
        ]
    )
    return people


def sale():
    txn = Txn(1, 7)
    txn.apply(3, {"kind": "sale", "amount": 1234, "entry": CHIP, "masked": "622588******1234"})
    return txn


# ---- questions


async def test_an_amount_begins_with_the_idle_key():
    assert await counter("2 3 4 ENTER").ask.amount("sale", "1") == 1234


async def test_an_amount_of_zero_is_asked_again():
    assert await counter("ENTER 5 ENTER").ask.amount("sale") == 5


async def test_cancel_and_clear_on_nothing_leave_the_amount():
    for keys in ("1 CANCEL", "1 CLEAR CLEAR"):
        try:
            await counter(keys).ask.amount("sale")
        except Cancelled:
            continue
        raise AssertionError(keys)


async def test_pin_digits_go_to_pinmac_only():
    pos = counter("1 2 CLEAR 3 4 5 ENTER")
    assert await pos.ask.pin(1234, False) == 4
    assert pinmac.pin_len() == 4
    assert pos.board.keypad.secrets == [True, False]
    pinmac.pin_cancel()


async def test_a_short_pin_is_not_taken_and_the_longest_is_twelve():
    pos = counter("1 2 3 ENTER 4 5 6 7 8 9 0 1 2 3 4 5 ENTER")
    assert await pos.ask.pin(1234, True) == 12
    pinmac.pin_cancel()


async def test_a_pin_may_be_passed_over_only_where_allowed():
    assert await counter("ENTER").ask.pin(1234, True) == 0
    assert await counter("ENTER 1 2 3 4 ENTER").ask.pin(1234, False) == 4
    pinmac.pin_cancel()


async def test_cancel_wipes_the_pin():
    pos = counter("1 2 3 CANCEL")
    try:
        await pos.ask.pin(1234, True)
    except Cancelled:
        assert pos.board.keypad.secrets == [True, False]
        try:
            pinmac.pin_digit(1)
        except pinmac.StateError:
            return
    raise AssertionError("the entry is still open")


async def test_a_choice_by_key_or_by_arrows():
    options = [("1", "a"), ("5", "b"), ("6", "c")]
    assert await counter("5").ask.choice("x", options) == 1
    assert await counter("3 DOWN DOWN DOWN UP ENTER").ask.choice("x", options) == 2


async def test_a_long_list_scrolls():
    options = [("", str(number)) for number in range(9)]
    assert await counter("UP ENTER").ask.choice("x", options) == 8


async def test_a_message_closes_by_its_key_or_by_cancel():
    assert await counter("5 ENTER").ask.message("ok", "x", []) == "ENTER"
    assert await counter("CANCEL").ask.message("ok", "x", []) == "ENTER"
    hints = (("ENTER", "do-retry"), ("CANCEL", "do-end"))
    assert await counter("CANCEL").ask.message("bad", "x", [], hints) == "CANCEL"


async def test_work_is_shown_with_its_seconds_and_its_error_comes_through():
    async def work():
        await asyncio.sleep_ms(5)
        return 42

    async def failing():
        await asyncio.sleep_ms(5)
        raise NoRoute("no")

    pos = counter()
    assert await pos.online(work(), "echo") == 42
    try:
        await pos.online(failing(), "echo")
    except NoRoute:
        return
    raise AssertionError("the error was lost")


async def test_cancel_ends_a_conversation_that_moves_no_money():
    try:
        await counter("5 CANCEL").online(asyncio.sleep(30), "echo")
    except Cancelled:
        return
    raise AssertionError("the wait went on")


# ---- paper


async def test_both_copies_are_printed_and_nothing_is_due():
    pos = counter("ENTER")
    await printing.receipt(pos, sale(), "approved")
    assert len(pos.board.printer.documents) == 2
    assert not pos.unprinted and not printing.due(pos.ledger)


async def test_paper_out_before_a_copy_waits_and_resumes():
    printing._POLL_MS = 5
    pos = counter("ENTER", [PaperOut("p"), PaperOut("p"), None])
    await printing.receipt(pos, sale(), "approved")
    assert len(pos.board.printer.documents) == 2


async def test_paper_out_in_a_copy_prints_that_copy_again():
    pos = counter("ENTER", [None, CoverOpen("c")])
    await printing.receipt(pos, sale(), "approved")
    assert len(pos.board.printer.documents) == 2
    pos = counter("ENTER", [None, None, PaperOut("p")])
    await printing.receipt(pos, sale(), "approved")
    assert len(pos.board.printer.documents) == 3


async def test_a_receipt_put_off_stays_due_and_no_fault_is_lost():
    pos = counter("CANCEL", [DeviceSilent("s")] * 100)
    await printing.receipt(pos, sale(), "approved")
    assert pos.unprinted and printing.due(pos.ledger)
    assert pos.faults.faults()[0].name == "printer: DeviceSilent"
    pos.board.printer.troubles = []
    pos.board.keypad.keys = ["ENTER"]
    await printing.receipt(pos, sale(), "reprint", True)
    assert not printing.due(pos.ledger)


# ---- who is at work


def test_passwords_are_checked_and_failures_slow_down():
    desk.fresh_data()
    people = operators()
    assert people.check("01", bytearray(b"0001")) is False
    for _ in range(3):
        try:
            people.check("01", bytearray(b"9999"))
        except PasswordWrong:
            continue
        raise AssertionError("a wrong password was taken")
    again = Operators("/data", keyed_hash, pinmac.random)
    again.load()
    for one in (people, again):
        try:
            one.check("01", bytearray(b"0001"))
        except BackOff as error:
            assert 0 < error.seconds <= 30
            continue
        raise AssertionError("no back-off")
    assert again.check("00", bytearray(b"123456")) is False


def test_a_password_is_wiped_and_not_in_the_file():
    desk.fresh_data()
    people = operators()
    typed = bytearray(b"0001")
    people.check("01", typed)
    assert typed == bytearray(4)
    with open("/data/operators.json") as file:
        text = file.read()
    assert "0001" not in text.replace(people._entries["01"]["salt"], "")


def test_a_changed_file_of_operators_is_refused():
    desk.fresh_data()
    operators(change=True)
    with open("/data/operators.json") as file:
        good = file.read()
    seal, entries = good.split("\n")
    for text in (
        good.replace('"change": true', '"change": false'),
        good.replace('"failures": 0', '"failures": 1'),
        seal + "\n{}", seal + "\n", "", "{", entries, good[:-1], good + " ",
    ):  # fmt: skip
        assert text != good
        with open("/data/operators.json", "w") as file:
            file.write(text)
        try:
            Operators("/data", keyed_hash, pinmac.random).load()
        except OperatorsCorrupt:
            continue
        raise AssertionError(text)


def test_passwords_have_their_length():
    desk.fresh_data()
    people = operators()
    for password in (b"123", b"12345", b"12a4"):
        try:
            people.change("01", bytearray(password))
        except PasswordForm:
            continue
        raise AssertionError(password)


async def test_a_first_login_forces_another_password():
    pos = counter("0 1 ENTER 0 0 0 1 ENTER ENTER 0 0 0 1 ENTER 0 0 0 1 ENTER ENTER "
                  "2 2 2 2 ENTER 3 3 3 3 ENTER ENTER 4 4 4 4 ENTER 4 4 4 4 ENTER ENTER")
    pos.operators = operators(change=True)
    await login.login(pos)
    assert pos.operator == "01"
    assert pos.operators.check("01", bytearray(b"4444")) is False


async def test_a_wrong_password_or_number_logs_nobody_in():
    for keys in ("0 1 ENTER 9 9 9 9 ENTER ENTER", "1 9 ENTER ENTER", "5 5 ENTER ENTER", "CANCEL"):
        pos = counter(keys)
        pos.operators = operators()
        try:
            await login.login(pos)
        except Cancelled:
            assert pos.operator == ""
            continue
        raise AssertionError(keys)


# ---- faults and ends


def test_faults_are_counted_bounded_and_durable():
    desk.fresh_data()
    clock = desk.Clock()
    log = FaultLog("/data", clock)
    for number in range(40):
        clock.seconds += 1
        log.record(f"place {number}", ValueError("x"))
        log.record("place 39", ValueError("again"))
    again = FaultLog("/data", clock).faults()
    assert len(again) == 32
    assert again[0].name == "place 39: ValueError" and again[0].count > 1
    assert again[0].text == "again"


def test_a_broken_fault_log_does_not_stop_the_terminal():
    desk.fresh_data()
    for text in ("{", "[1]", "[[1,2]]", "null", '["abcd"]'):
        with open("/data/faults.json", "w") as file:
            file.write(text)
        FaultLog("/data", desk.Clock())


def test_card_numbers_are_masked_in_faults():
    assert masked("pan 6225880000071234, x 123456") == "pan 622588******1234, x 123456"


async def test_a_named_error_ends_a_flow_in_words():
    async def flow():
        raise NoRoute("nobody there")

    pos = counter("ENTER")
    await idle.run(pos, flow())
    assert pos.faults.faults()[0].name == "flow: NoRoute"
    assert pos.board.lamps.patterns[-1] == "idle"
    assert "error" in pos.board.buzzer.beeps


async def test_an_unnamed_error_is_left_to_the_supervisor():
    async def flow():
        raise ZeroDivisionError

    try:
        await idle.run(counter(), flow())
    except ZeroDivisionError:
        return
    raise AssertionError("a fault of the program was swallowed")


async def test_a_card_left_inside_is_asked_for():
    pos = counter()
    pos.card_left = pos.board.reader.inside = True

    async def take():
        await asyncio.sleep_ms(20)
        pos.board.reader.inside = False

    taking = asyncio.create_task(take())
    await pos.take_card()
    await taking
    assert not pos.card_left


# ---- dates


def test_moments_are_written_as_the_calendar_has_them():
    assert moments.written(0) == "2000/01/01 00:00:00"
    assert moments.written(59 * 86_400 + 3_661) == "2000/02/29 01:01:01"
    assert moments.written(848_778_733) == "2026/11/23 19:52:13"
    assert moments.card_stamp(848_778_733) == ("261123", "195213")
    assert moments.clock_face(848_778_733) == "19:52"
