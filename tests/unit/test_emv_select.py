"""Selection and the tap's entry point against recorded conversations."""

from emv import entry_point, select
from emv.contact import ContactSession
from emv.contactless import ContactlessSession
from emv.errors import ApplicationBlocked, CardBlocked, NoApplication
from emv.terminal import Terminal, Transaction

PSE = "00a404000e315041592e5359532e444446303100"
PPSE = "00a404000e325041592e5359532e444446303100"
DEBIT, CREDIT, QUASI = "a000000333010101", "a000000333010102", "a000000333010103"
VISA = "a0000000031010"


def entry(aid, label="41", priority=None, more=""):
    """A directory entry."""
    text = f"4f{len(aid) // 2:02x}{aid}50{len(label) // 2:02x}{label}"
    text += "" if priority is None else f"8701{priority:02x}"
    return wrap("61", text + more)


def wrap(tag, text):
    """One object in hex."""
    return f"{tag}{len(text) // 2:02x}{text}"


def fci(aid, label="41", priority=None):
    """An application's FCI with 9000."""
    inner = f"50{len(label) // 2:02x}{label}"
    inner += "" if priority is None else f"8701{priority:02x}"
    return wrap("6f", wrap("84", aid) + wrap("a5", inner)) + "9000"


def choose_name(aid, next_one=False):
    """SELECT by name."""
    return f"00a4040{'2' if next_one else '0'}{len(aid) // 2:02x}{aid}00"


class Recorded:
    """Answers what was recorded; 6A82 for a SELECT that was not."""

    def __init__(self, conversation):
        self.conversation = conversation
        self.asked = []

    async def __call__(self, command):
        text = command.hex()
        self.asked.append(text)
        if text in self.conversation:
            said = self.conversation[text]
            return bytes.fromhex(said.pop(0) if isinstance(said, list) else said)
        assert text.startswith("00a404"), "not recorded: " + text
        return b"\x6a\x82"


def session(conversation, kind=ContactSession):
    card = Recorded(conversation)
    terminal = Terminal(lambda size: bytes(size))
    return kind(card, terminal, Transaction(1234, "261123", "120000")), card


DIRECTORY = "6f15840e315041592e5359532e4444463031a5038801019000"
RECORD = "00b2010c00"
NEXT_RECORD = "00b2020c00"


def directory(*entries):
    return {PSE: DIRECTORY, RECORD: wrap("70", "".join(entries)) + "9000", NEXT_RECORD: "6a83"}


async def test_directory_by_priority():
    talk = directory(entry(CREDIT, "42", 2), entry(VISA, "43"), entry(DEBIT, "44", 1))
    talk[choose_name(DEBIT)] = fci(DEBIT)
    one, card = session(talk)
    await one.application_selection()
    assert one.aid.hex() == DEBIT and one.label == "A"
    assert card.asked == [PSE, RECORD, NEXT_RECORD, choose_name(DEBIT)]


async def test_choice_lists_labels_in_order_of_priority():
    talk = directory(entry(CREDIT, "42", 2), entry(VISA, "43"), entry(DEBIT, "44", 1))
    talk[choose_name(VISA)] = fci(VISA)
    shown = []

    async def choose(labels):
        shown.extend(labels)
        return 2

    one, _ = session(talk)
    await one.application_selection(choose)
    assert shown == ["D", "B", "C"] and one.aid.hex() == VISA
    assert one.data.get(0x9F09) == b"\x00\x8c"


async def test_confirmation_is_asked_for_one_application_too():
    talk = directory(entry(DEBIT, "44", 0x81))
    talk[choose_name(DEBIT)] = fci(DEBIT)
    one, _ = session(talk)
    asked = []

    async def choose(labels):
        asked.append(labels)
        return 0

    await one.application_selection(choose)
    assert asked == [["D"]]
    one, _ = session(directory(entry(DEBIT, "44", 0x81)))
    assert await fails(one) == NoApplication


async def fails(one):
    """The kind of error that selection ends in."""
    try:
        await one.application_selection()
    except Exception as error:  # noqa: BLE001
        return type(error)
    return None


async def test_longer_names_match_by_their_beginning():
    longer = DEBIT + "0102"
    talk = directory(entry(longer, "44"))
    talk[choose_name(longer)] = fci(longer)
    one, _ = session(talk)
    await one.application_selection()
    assert one.aid.hex() == longer and one.data.get(0x9F06).hex() == DEBIT


async def test_exact_match_is_wanted_where_the_terminal_says_so():
    one, _ = session(directory(entry(DEBIT + "01", "44")))
    one.terminal.applications[0].partial = False
    assert await fails(one) == NoApplication


async def test_no_directory_leads_to_names_and_to_the_next_of_the_same_name():
    first, second = DEBIT + "01", DEBIT + "02"
    talk = {
        choose_name(DEBIT): fci(first, "44", 2),
        choose_name(DEBIT, True): [fci(second, "45", 1), "6a82"],
        choose_name(second): fci(second, "45", 1),
    }
    one, card = session(talk)
    await one.application_selection()
    assert one.aid.hex() == second
    names = [choose_name(DEBIT), choose_name(DEBIT, True), choose_name(DEBIT, True)]
    names += [choose_name(aid) for aid in (CREDIT, QUASI, VISA)]
    assert card.asked == [PSE] + names + [choose_name(second)]


async def test_a_card_that_repeats_itself_is_not_asked_for_ever():
    again = fci(DEBIT + "01", "44")
    talk = {choose_name(DEBIT): again, choose_name(DEBIT, True): again}
    talk[choose_name(DEBIT + "01")] = again
    one, card = session(talk)
    await one.application_selection()
    assert len(card.asked) < 10


async def test_malformed_directories_lead_to_names():
    for record in ("700361014f9000", "77009000", "7004610250419000", "6f00", "9000"):
        talk = {PSE: DIRECTORY, RECORD: record, NEXT_RECORD: "6a83"}
        talk[choose_name(DEBIT)] = fci(DEBIT)
        one, _ = session(talk)
        await one.application_selection()
        assert one.aid.hex() == DEBIT, record
    one, _ = session({PSE: "6f009000", choose_name(DEBIT): fci(DEBIT)})
    await one.application_selection()


async def test_blocked_card_blocked_applications_and_none():
    assert await fails(session({PSE: "6a81"})[0]) == CardBlocked
    assert await fails(session({})[0]) == NoApplication
    assert await fails(session({choose_name(DEBIT): "6283"})[0]) == ApplicationBlocked
    talk = directory(entry(DEBIT, "44"))
    talk[choose_name(DEBIT)] = "6283"
    assert await fails(session(talk)[0]) == ApplicationBlocked


async def test_a_blocked_application_gives_way_to_the_next():
    talk = directory(entry(DEBIT, "44", 1), entry(CREDIT, "45", 2))
    talk[choose_name(DEBIT)] = "6283"
    talk[choose_name(CREDIT)] = fci(CREDIT)
    one, _ = session(talk)
    await one.application_selection()
    assert one.aid.hex() == CREDIT


async def test_an_answer_by_another_name_is_not_taken():
    talk = directory(entry(DEBIT, "44"))
    talk[choose_name(DEBIT)] = fci(CREDIT)
    assert await fails(session(talk)[0]) == NoApplication


async def test_t0_procedure_words():
    # PSE answered 6115 and fetched; the record's length said by 6C1F.
    record = wrap("70", entry(DEBIT, "44"))
    short = "00b2010c" + f"{len(record) // 2:02x}"
    talk = {
        PSE: "6117",
        "00c0000017": DIRECTORY,
        RECORD: "6c" + f"{len(record) // 2:02x}",
        short: record + "9000",
        NEXT_RECORD: "6a83",
        choose_name(DEBIT): fci(DEBIT),
    }
    one, card = session(talk)
    await one.application_selection()
    assert one.aid.hex() == DEBIT and short in card.asked


async def test_conditions_not_satisfied_selects_the_next():
    talk = directory(entry(DEBIT, "44", 1), entry(CREDIT, "45", 2))
    talk[choose_name(DEBIT)] = fci(DEBIT)
    talk[choose_name(CREDIT)] = fci(CREDIT)
    talk["80a8000002830000"] = ["6985", "80061c00080101009000"]
    one, _ = session(talk)
    await one.application_selection()
    await one.initiate_application_processing()
    assert one.aid.hex() == CREDIT and one.data.get(0x94).hex() == "08010100"


# ---- contactless


def ppse(*entries):
    inner = wrap("bf0c", "".join(entries))
    return {PPSE: wrap("6f", wrap("84", PPSE[10:38]) + wrap("a5", inner)) + "9000"}


async def listed(talk, terminal=None):
    one, _ = session(talk, ContactlessSession)
    one.begin()
    return [each.name.hex() for each in await entry_point.combinations(one)]


async def test_combinations_by_priority_then_order():
    talk = ppse(entry(VISA, "41", 3), entry(CREDIT, "42", 1), entry(DEBIT, "43", 1), entry(QUASI))
    assert await listed(talk) == [CREDIT, DEBIT, VISA, QUASI]


async def test_kernel_identifiers():
    assert entry_point.kernel(bytes.fromhex(DEBIT), b"") == 7
    assert entry_point.kernel(bytes.fromhex(VISA), b"") == 3
    assert entry_point.kernel(bytes.fromhex("a0000000041010"), b"") == 2
    assert entry_point.kernel(bytes.fromhex("a0000009999999"), b"") == 0
    assert entry_point.kernel(bytes.fromhex(DEBIT), b"\x03") == 3
    assert entry_point.kernel(bytes.fromhex(DEBIT), b"\x00") == 7
    assert entry_point.kernel(bytes.fromhex(DEBIT), b"\x87\x01\x56") == 0
    talk = ppse(entry(DEBIT, "41", 1, "9f2a0104"), entry(CREDIT, "42", 2, "9f2a0107"))
    assert await listed(talk) == [CREDIT]


async def test_nothing_in_common():
    for talk in (ppse(entry("a0000000041010")), {}, ppse()):
        one, _ = session(talk, ContactlessSession)
        outcome = await one.perform()
        assert outcome.kind == "try_another_interface", outcome


async def test_malformed_contactless_directory():
    one, _ = session({PPSE: "6f049f2a01009000"}, ContactlessSession)
    assert (await one.perform()).kind == "end"


def test_qualifiers_by_amount():
    application = Terminal(lambda size: bytes(size)).applications[0]
    application.contactless_floor, application.contactless_cvm_limit = 100, 200
    application.contactless_limit = 300
    table = ((0, 0x80), (100, 0x00), (101, 0x80), (199, 0x80), (200, 0xC0), (299, 0xC0))
    for amount, second in table:
        terms = entry_point.qualifiers(application, Transaction(amount, "261123", "120000"))
        assert terms == bytes((0x36, second, 0x40, 0x00)), amount
    assert entry_point.qualifiers(application, Transaction(300, "261123", "120000")) is None


def test_match_prefers_the_terminals_order():
    terminal = Terminal(lambda size: bytes(size))
    assert select.match(terminal, bytes.fromhex(VISA + "01")).aid.hex() == VISA
    assert select.match(terminal, bytes.fromhex("a000000333")) is None
