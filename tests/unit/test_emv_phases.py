"""The phases of lib/emv one by one: CVM lists, action analysis, restrictions, risk, data."""

import tlv
from emv import analyse, authenticate, elements, records, restrictions, risk, verify
from emv.contact import ContactSession
from emv.errors import CardDataError, SequenceError
from emv.session import Session, Track2
from emv.store import Store
from emv.terminal import Terminal, Transaction


class Raises:
    """A block that has to end in this kind of error."""

    def __init__(self, kind, why=""):
        self.kind = kind
        self.why = why

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        assert kind is not None, f"no {self.kind.__name__} {self.why}"
        return issubclass(kind, self.kind)


def session(amount=1234, kind=0, data=None, forced=False, dice=None):
    """A session that has begun, with card data put in by hand."""
    terminal = Terminal(dice or (lambda size: bytes(size)))
    sale = Transaction(amount, "261123", "120000", kind=kind, forced_online=forced)
    one = Session(None, terminal, sale)
    one.begin()
    one.application = terminal.applications[0]
    one.data.put(0x82, b"\x1c\x00")
    one.data.put(0x5F24, bytes.fromhex("301231"))
    one.data.put(0x57, bytes.fromhex("6225880000071234D301222012345F"))
    one.track2 = Track2(one.data)
    for tag in data or {}:
        one.data.put(tag, bytes.fromhex(data[tag]))
    return one


def bits(one):
    """The TVR in hex."""
    return one.tvr.hex()


# ---- the dictionary


def test_elements_are_in_order_and_found():
    tags = [row[0] for row in elements.ELEMENTS]
    assert tags == sorted(set(tags)) and len(tags) > 110
    for row in elements.ELEMENTS:
        assert elements.find(row[0]) is row
        assert row[2] in ("a", "an", "ans", "b", "cn", "n", "var") and row[3] <= row[4]
        assert row[5] in ("card", "terminal", "issuer")
    assert elements.name(0x9F26) == "Application Cryptogram"
    assert elements.find(0x9F99) is None and elements.name(0x9F99) == "unknown"


def test_templates_and_only_they_are_constructed():
    for row in elements.ELEMENTS:
        constructed = row[2] == "var" and row[0] not in (0x80, 0x94)
        assert tlv.is_constructed(row[0]) == (constructed or row[0] in (0x61, 0x71, 0x72)), row


# ---- CVM list (10.5)


async def verified(rules, answers=(), **more):
    """(method, 9F34, TVR, how often the PIN was asked) for a list."""
    one = session(**more)
    one.data.put(elements.CVM_LIST, bytes.fromhex(rules))
    asked = []

    async def pin(method, tries):
        asked.append((method, tries))
        return answers[len(asked) - 1]

    method = await verify.cardholder_verification(one, pin)
    return method, one.data.get(0x9F34).hex(), bits(one), len(asked)


NO_LIMITS = "0000000000000000"
ENTERED, BYPASSED, FAULT = "entered", "bypassed", "fault"


async def test_online_pin():
    found = await verified(NO_LIMITS + "0200", [ENTERED])
    assert found == ("online_pin", "020000", "0000040000", 1)


async def test_bypassed_pin_without_a_next_rule_fails():
    assert await verified(NO_LIMITS + "0200", [BYPASSED]) == ("failed", "020001", "0000880000", 1)


async def test_bypassed_pin_tries_the_next_and_is_not_asked_again():
    found = await verified(NO_LIMITS + "420042001E00", [BYPASSED])
    assert found == ("signature", "1e0000", "0000080000", 1)


async def test_broken_pin_pad():
    assert await verified(NO_LIMITS + "42001F00", [FAULT]) == ("none", "1f0002", "0000100000", 1)


async def test_fail_rule_ends_the_list():
    assert await verified(NO_LIMITS + "00001F00") == ("failed", "000001", "0000800000", 0)


async def test_unknown_method_is_marked_and_the_next_is_tried():
    assert await verified(NO_LIMITS + "5F001E00") == ("none", "5f0002", "0000000000", 0)
    assert await verified(NO_LIMITS + "46001F00") == ("none", "1f0002", "0000400000", 0)
    assert await verified(NO_LIMITS + "06001F00") == ("failed", "3f0001", "0000c00000", 0)


async def test_offline_pin_needs_its_capability():
    for code in ("41", "43", "44", "45"):
        found = await verified(NO_LIMITS + code + "031F00")
        assert found == ("none", "1f0002", "0000000000", 0), code
        found = await verified(NO_LIMITS + code + "001F00")
        assert found == ("none", "1f0002", "0000100000", 0), code
    assert await verified(NO_LIMITS + "0400") == ("failed", "3f0001", "0000900000", 0)


async def test_conditions_by_transaction_type():
    sale, cash, cashback = 0x00, 0x01, 0x09
    table = {
        "00": (True, True, True),
        "01": (False, False, False),
        "02": (True, False, False),
        "03": (True, True, True),
        "04": (False, True, False),
        "05": (False, False, True),
        "0A": (False, False, False),
        "80": (False, False, False),
    }
    for condition in table:
        for kind, applies in zip((sale, cash, cashback), table[condition]):
            method, _, _, _ = await verified(NO_LIMITS + "1E" + condition, kind=kind)
            assert (method == "signature") == applies, (condition, kind)


async def test_conditions_by_amount():
    limits = "000003E8" + "000007D0"  # X 10.00, Y 20.00
    table = ((999, "06", "08"), (1000, "08"), (1500, "07", "08"), (2000, "07"), (2001, "07", "09"))
    for row in table:
        for condition in ("06", "07", "08", "09"):
            found = await verified(limits + "1E" + condition, amount=row[0], data={0x9F42: "0156"})
            assert (found[0] == "signature") == (condition in row[1:]), (row, condition)


async def test_amount_conditions_need_the_cards_currency():
    for data in ({}, {0x9F42: "0840"}):
        found = await verified("FFFFFFFFFFFFFFFF1E06", data=data)
        assert found == ("failed", "3f0001", "0000800000", 0)


async def test_no_list_and_no_wish():
    one = session()
    assert await verify.cardholder_verification(one, None) == "none"
    assert (bits(one), one.tsi.hex()) == ("2000000000", "0000")
    assert one.data.get(0x9F34).hex() == "3f0000"
    one = session(data={0x82: "0C00", 0x8E: NO_LIMITS + "0000"})
    assert await verify.cardholder_verification(one, None) == "none"
    assert (bits(one), one.tsi.hex()) == ("0000000000", "0000")


async def test_list_of_odd_length_is_refused():
    with Raises(CardDataError, "an odd list was taken"):
        await verified(NO_LIMITS + "1E0000")


# ---- terminal action analysis (10.7)


def test_every_bit_decides_by_itself():
    names = (("tac_denial", 0x9F0E), ("tac_online", 0x9F0F), ("tac_default", 0x9F0D))
    for place in range(40):
        code = (1 << place).to_bytes(5, "big")
        for mine in (True, False):
            for which in range(3):
                one = session()
                application = one.application
                for name, tag in names:
                    setattr(application, name, bytes(5))
                    one.data.put(tag, bytes(5))
                if mine:
                    setattr(application, names[which][0], code)
                else:
                    one.data.put(names[which][1], code)
                expected = ("declined", "online", "approved")[which]
                assert analyse.before_online(one) == "approved"
                assert analyse.unable_to_go_online(one) == "approved"
                one.data.put(0x95, code)
                assert analyse.before_online(one) == expected
                last = "declined" if which == 2 else "approved"
                assert analyse.unable_to_go_online(one) == last


def test_every_combination_of_codes():
    # An action code names the bit or not; the issuer's may be absent: zeros for denial, else ones.
    bit, ones = b"\x00\x40\x00\x00\x00", b"\xff" * 5
    absent = {0x9F0E: bytes(5), 0x9F0F: ones, 0x9F0D: ones}
    names = (("tac_denial", 0x9F0E), ("tac_online", 0x9F0F), ("tac_default", 0x9F0D))
    for choice in range(2**3 * 3**3):
        one, codes = session(), []
        for name, tag in names:
            choice, mine = choice // 2, choice % 2
            choice, theirs = choice // 3, choice % 3
            setattr(one.application, name, bit if mine else bytes(5))
            if theirs < 2:
                one.data.put(tag, bit if theirs else bytes(5))
            issuer = absent[tag] if theirs == 2 else bit if theirs else bytes(5)
            codes.append(bool(mine or issuer[1] & 0x40))
        for results, named in ((bit, codes), (bytes(5), (False, False, False))):
            denial, online, default = named
            one.data.put(0x95, results)
            wanted = "declined" if denial else "online" if online else "approved"
            assert analyse.before_online(one) == wanted, codes
            assert analyse.unable_to_go_online(one) == ("declined" if default else "approved")


def test_denial_comes_before_online():
    one = session(data={0x95: "8000000000", 0x9F0E: "8000000000", 0x9F0F: "8000000000"})
    assert analyse.before_online(one) == "declined"


def test_missing_issuer_codes():
    one = session()
    for name in ("tac_denial", "tac_online", "tac_default"):
        setattr(one.application, name, bytes(5))
    assert analyse.before_online(one) == "approved"
    one.data.put(0x95, b"\x00\x00\x00\x00\x01")
    assert analyse.before_online(one) == "online"
    assert analyse.unable_to_go_online(one) == "declined"


# ---- restrictions (10.4)


def restricted(data, kind=0):
    one = session(kind=kind, data=data)
    one.data.put(0x9F09, b"\x00\x20")
    restrictions.processing_restrictions(one)
    return bits(one)


def test_versions():
    assert restricted({}) == "0000000000"
    assert restricted({0x9F08: "0020"}) == "0000000000"
    assert restricted({0x9F08: "0021"}) == "0080000000"


def test_dates():
    assert restricted({0x5F24: "261123"}) == "0000000000"
    assert restricted({0x5F24: "261122"}) == "0040000000"
    assert restricted({0x5F24: "491231"}) == "0000000000"
    assert restricted({0x5F24: "991231"}) == "0040000000"
    assert restricted({0x5F25: "261123"}) == "0000000000"
    assert restricted({0x5F25: "261124"}) == "0020000000"
    assert restricted({0x5F25: "990101"}) == "0000000000"


def test_dates_that_are_none():
    for text in ("261323", "260023", "26112A", "261100", "261132"):
        with Raises(CardDataError, text):
            restricted({0x5F24: text})


def test_usage_control():
    denied = "0010000000"
    home, abroad = "0156", "0840"
    for control, country, kind, result in (
        ("FF00", home, 0x00, "0000000000"),
        ("FE00", home, 0x00, denied),
        ("2100", home, 0x00, "0000000000"),
        ("2100", abroad, 0x00, denied),
        ("1100", abroad, 0x00, "0000000000"),
        ("2100", home, 0x01, denied),
        ("8100", home, 0x01, "0000000000"),
        ("2100", home, 0x09, denied),
        ("2180", home, 0x09, "0000000000"),
        ("2100", home, 0x20, "0000000000"),
    ):
        found = restricted({0x9F07: control, 0x5F28: country}, kind)
        assert found == result, (control, country, kind)
    assert restricted({0x9F07: "0100"}) == "0000000000"


# ---- risk (10.6)


async def test_floor_limit_and_exceptions():
    for amount, spent, bit in ((99, 0, "00"), (100, 0, "80"), (60, 40, "80"), (60, 39, "00")):
        one = session(amount=amount, dice=lambda size: b"\xc5" * size)  # draws 99
        one.application.floor_limit = 100
        one.terminal.recent = lambda pan, spent=spent: spent
        one.terminal.exceptions = lambda pan, psn: pan == "6225880000071234"
        await risk.terminal_risk_management(one)
        assert bits(one) == "100000" + bit + "00", (amount, spent)
        assert one.tsi.hex() == "0800"


async def test_random_selection():
    # target 10 %, at most 60 %, threshold 50: half-way between 50 and 100 it is 35 %.
    table = ((10, 10, True), (10, 11, False), (75, 35, True), (75, 36, False))
    for amount, drawn, chosen in table:
        one = session(amount=amount, dice=lambda size, drawn=drawn: bytes((drawn - 1,)) * size)
        application = one.application
        application.floor_limit, application.threshold = 100, 50
        application.target_percent, application.max_percent = 10, 60
        await risk.terminal_risk_management(one)
        assert one.has_tvr(elements.TVR_RANDOMLY_SELECTED) == chosen, (amount, drawn)


async def test_no_risk_management_unless_the_card_wants_it():
    one = session(data={0x82: "1000"}, forced=True)
    await risk.terminal_risk_management(one)
    assert bits(one) == "0000000800" and one.tsi.hex() == "0000"


def test_percent_is_fair_and_ends():
    drawn = [risk.percent(lambda size, byte=byte: bytes((byte,))) for byte in range(198)]
    assert sorted(drawn) == sorted(list(range(1, 100)) * 2)
    assert risk.percent(lambda size: b"\xff") == 99


# ---- authentication, AFL, store


async def test_no_method_is_said_and_missing_data_fail_the_chosen_one():
    one = session(data={0x82: "7D00"})
    assert await authenticate.offline_data_authentication(one) is None
    assert bits(one) == "8000000000" and one.tsi.hex() == "0000"
    methods = ((0xC8, "CDA", 0x24), (0x40, "DDA", 0x28), (0x80, "SDA", 0x62))
    for capabilities, name, failed in methods:
        one = session(data={0x82: "7D00"})
        one.data.put(0x9F33, bytes((0x20, 0x68, capabilities)))
        assert await authenticate.offline_data_authentication(one) == name == one.oda
        assert bits(one) == f"{failed:02x}00000000" and one.tsi.hex() == "8000", name
        assert one.oda_fault == "the card has no 8F" and not one.combine


def test_keys_are_wiped_with_the_session():
    one = session()
    one.keys.card.take(b"\x11" * 100, b"\x22" * 28, 3)
    assert bytes(one.keys.card.modulus) == b"\x11" * 100 + b"\x22" * 28
    one.wipe()
    assert not any(one.keys.card.buffer) and not one.keys.card.size


def test_best_method_that_both_have():
    assert authenticate.method(0x61, 0xC8) == "CDA"
    assert authenticate.method(0x61, 0xC0) == "DDA"
    assert authenticate.method(0x41, 0xC0) == "SDA"
    assert authenticate.method(0x20, 0x88) is None


def test_file_locators():
    assert records.entries(bytes.fromhex("08010301")) == [(1, 1, 3, 1)]
    for text in ("", "080103", "09010301", "00010301", "F8010101", "08000301", "08030201",
                 "08010304", "0801FF00"):
        with Raises(CardDataError, text):
            records.entries(bytes.fromhex(text))


def test_a_card_cannot_set_the_terminals_elements():
    store = Store()
    store.put(0x95, bytes(5))
    text = bytes.fromhex("95051111111111" + "9F33030000FF" + "DF790101" + "5A0412345678" + "5000")
    begin = store.append(text, len(text))
    store.learn(store.leaves(begin, store.used))
    assert store.get(0x95) == bytes(5) and store.get(0x5A).hex() == "12345678"
    assert store.tags() == [0x5A, 0x95]


def test_repeated_and_misshapen_elements_are_refused():
    for text in ("5A04123456785A0412345678", "8203000000", "5F340101" + "5F340102", "9F2601AA"):
        store = Store()
        begin = store.append(bytes.fromhex(text), len(text) // 2)
        with Raises(CardDataError, text):
            store.learn(store.leaves(begin, store.used))
    store = Store()
    begin = store.append(bytes.fromhex("5F3401015F340101"), 8)
    store.learn(store.leaves(begin, store.used), repeats=True)
    assert store.get(0x5F34) == b"\x01"


def test_a_full_store_is_a_named_error_and_a_wipe_leaves_nothing():
    store = Store(512)
    store.put(0x5A, b"\x62" * 10)
    with Raises(CardDataError, "the store has no end"):
        store.append(bytes(503), 503)
    store.clear()
    assert not any(store.buffer) and store.view(0x5A) is None


# ---- session


async def test_phases_keep_their_order():
    terminal = Terminal(lambda size: bytes(size))
    one = ContactSession(None, terminal, Transaction(1, "261123", "120000"))
    for call in (one.initiate_application_processing, one.card_action_analysis, one.completion):
        with Raises(SequenceError, "a phase came before its turn"):
            await call()


def test_a_stale_session_cannot_read_anothers_card():
    terminal = Terminal(lambda size: bytes(size))
    first = Session(None, terminal, Transaction(1, "261123", "120000"))
    first.begin()
    first.data.put(0x57, bytes.fromhex("6225880000071234D30122010000"))
    track = Track2(first.data)
    assert track.masked == "622588******1234" and track.expiry == "3012"
    second = Session(None, terminal, Transaction(1, "261123", "120000"))
    second.begin()
    for read in (first.field55, first.receipt, lambda: track.pan, lambda: first.tvr):
        with Raises(SequenceError, "a stale session answered"):
            read()
    second.data.put(0x84, b"\xa0\x00\x00\x03\x33")
    second.data.put(0x5F34, b"\x01")
    assert (first.aid, first.psn, first.label) == (b"", None, "")
    first.wipe()
    assert second.field55() and second.psn == 1


def test_track_from_the_plain_elements_and_malformed_tracks():
    one = session(data={0x5A: "6225880000071234", 0x5F34: "01"})
    one.track2.check()
    one.data.drop(0x57)
    assert one.track2.text == "6225880000071234D3012000" and one.psn == 1
    for text in ("6225880000071234", "6225880000071234D3013220", "6225880000079999D3012220",
                 "62D3012220", "6225880000071234D3012D20", "6225880000071A34D3012220"):
        one.data.put(0x57, bytes.fromhex(text))
        with Raises(CardDataError, text):
            one.track2.check()


def test_label_prefers_the_name_it_can_print():
    one = session(data={0x84: "A000000333010101"})
    assert one.label == "A000000333010101"
    one.data.put(0x50, b"Debit\x00 ")
    one.data.put(0x9F12, b"\xd2\xf8\xc1\xaa")
    assert one.label == "Debit"
    one.data.put(0x9F11, b"\x01")
    assert one.label == "Debit"
    one.data.put(0x9F12, b"Best")
    assert one.label == "Best"


def test_field_55_of_a_reversal():
    one = session(data={0x9F36: "0002", 0x9F10: "06011203A00000", 0xDF31: "2000000001"})
    assert one.field55("reversal").hex() == (
        "95050000000000" "9f1e083030303030303031" "9f100706011203a00000" "9f36020002"
        "df31052000000001"
    )


def test_amounts_beyond_small_integers():
    one = session(amount=123_456_789_012)
    assert one.data.get(0x9F02).hex() == "123456789012"
    assert one.data.get(0x81).hex() == "ffffffff"
    assert session(amount=2_000_000_000).data.get(0x81).hex() == "77359400"
