"""What a terminal may make of a conversation, told from the bytes that were really exchanged.

Nothing here asks lib/emv how it came to its decision: the judge sees the commands, the answers as
they were sent and the recorded, genuine ones. Runs inside MicroPython.

An online approval on contacts needs: the host approved; the cryptogram it saw is the genuine one
of this card; one second GENERATE AC, asked as a TC and answered 9000 with one; issuer
authentication done where card and reply have it, and answered 9000; and where a signature was
asked for (CDA), the genuine one. An approval without the host needs a TC likewise, and everything
that the card's certificates and signatures cover as it was recorded; on a tap that is fDDA.
"""

from emv_objects import first, parse

APPROVING = ("00", "10", "11", "A2", "A4", "A5", "A6")
_OK = 0x9000
_GPO = 0xA8
# Two of them with their class: a script's command may have any instruction (Book 3 10.10).
_GENERATE_AC = b"\x80\xae"
_AUTHENTICATE = b"\x00\x82"
_READ = 0xB2
_TC, _ARQC, _KIND = 0x40, 0x80, 0xC0
_CDA = 0x10
_CID, _CRYPTOGRAM = b"\x9f\x27", b"\x9f\x26"
_SIGNATURE = b"\x9f\x4b"
# What each proof stands on, besides the signed records (Book 2 5, 6; C-3, C-7 for 9F69). Another
# method's elements may be there or not: nobody looks at them.
_ISSUER = (b"\x8f", b"\x90", b"\x92", b"\x9f\x32")
_STATIC = _ISSUER + (b"\x93",)
_CARD_KEY = b"\x9f\x46"
_DYNAMIC = _ISSUER + (_CARD_KEY, b"\x9f\x47", b"\x9f\x48")
_FAST = _DYNAMIC + (b"\x9f\x69",)
_IN_CDA = (_SIGNATURE, _CID, b"\x9f\x36", b"\x9f\x10")
# What the issuer's host compares or computes the cryptogram over, as far as the card says it.
_OF_THE_CARD = (_CRYPTOGRAM, b"\x9f\x36", b"\x9f\x10", b"\x82")


class Said:
    """One command with its whole answer, GET RESPONSE and 6Cxx put together."""

    def __init__(self, command: bytes) -> None:
        self.command = command
        self.data = b""
        self.status = 0

    def value(self, tag: bytes) -> "bytes | None":
        """An element of the answer; 9F27, 9F36, 9F26 and 9F10 also out of format 1."""
        nodes = parse(self.data)
        if nodes and nodes[0][0] == b"\x80" and self.command[:2] == _GENERATE_AC:
            plain = nodes[0][1]
            at, to = {_CID: (0, 1), b"\x9f\x36": (1, 3), _CRYPTOGRAM: (3, 11)}.get(tag, (11, 43))
            return plain[at:to]
        return first(nodes, tag)


def assembled(log: list) -> list:
    """The exchanges as commands with whole answers."""
    result = []
    for command, answer in log:
        last = result[-1] if result else None
        word = answer[-2] << 8 | answer[-1] if len(answer) > 1 else 0
        if last is not None and last.status >> 8 == 0x61 and command[1] == 0xC0:
            last.data += answer[:-2]
        elif last is not None and last.status >> 8 == 0x6C and command[1] == last.command[1]:
            last.data = answer[:-2]
        elif last is not None and last.status >> 8 == 0x6C and command[1] == 0xC0:
            last.data = answer[:-2]
        else:
            last = Said(command)
            last.data = answer[:-2]
            result.append(last)
        last.status = word
        if word >> 8 == 0x6C:
            last.data = b""
    return result


def genuine(request: dict, recorded: dict) -> bool:
    """Whether the host would find the cryptogram right: everything it is made of as recorded."""
    return all(request.get(tag) == recorded.get(tag) for tag in _OF_THE_CARD)


def _cryptograms(said: list) -> list:
    return [each for each in said if each.command[:2] == _GENERATE_AC]


def _certificate(each: Said, what: str) -> str:
    """Why this is no TC that was asked for; '' when it is."""
    if each.command[2] & _KIND != _TC:
        return f"approved though the {what} cryptogram was not asked to be a TC"
    kind = each.value(_CID)
    if each.status != _OK or not kind or kind[0] & _KIND != _TC:
        return f"approved though the {what} cryptogram is no TC"
    return ""


def _signed(each: Said, true: "Said | None") -> str:
    if not each.command[2] & _CDA:
        return ""
    if true is None or any(each.value(tag) != true.value(tag) for tag in _IN_CDA):
        return "approved on a signature that the card did not make"
    return ""


def online(said: list, true: list, reply: "dict | None", authenticates: bool) -> str:
    """What speaks against a contact approval after a reply; '' when nothing does.

    said, true: this conversation and the recorded one, assembled. authenticates: the card takes
    EXTERNAL AUTHENTICATE and the reply has data for it.
    """
    if reply is None or reply["code"] not in APPROVING:
        return "approved though the host did not"
    cryptograms = _cryptograms(said)
    if len(cryptograms) != 2:
        return f"approved with {len(cryptograms)} cryptograms"
    kind = cryptograms[0].value(_CID)
    if not kind or kind[0] & _KIND != _ARQC:
        return "approved online though the first cryptogram is no ARQC"
    asked = [each for each in said if each.command[:2] == _AUTHENTICATE]
    if any(each.status != _OK for each in asked):
        return "approved though issuer authentication failed"
    if authenticates and not asked:
        return "approved without the issuer's authentication"
    recorded = _cryptograms(true)
    for number in range(2):
        fault = _signed(cryptograms[number], recorded[number] if number < len(recorded) else None)
        if fault:
            return fault
    return _certificate(cryptograms[1], "second")


def alone(said: list, true: list, signed: list) -> str:
    """What speaks against a contact approval without the host; '' when nothing does."""
    cryptograms = _cryptograms(said)
    if not cryptograms:
        return "approved without a cryptogram"
    recorded = _cryptograms(true)
    fault = _certificate(cryptograms[-1], "last")
    if not fault and len(cryptograms) <= len(recorded):
        fault = _signed(cryptograms[-1], recorded[len(cryptograms) - 1])
    by = _STATIC if any_value(true, _CARD_KEY) is None else _DYNAMIC
    return fault or proof(said, true, signed, by)


def tap(said: list, true: list, signed: list) -> str:
    """What speaks against a tap approved offline; '' when nothing does."""
    kind = any_value(said, _CID)
    if kind is None:
        # Without 9F27 the kind stands in the CVR of 9F10, as C-3 has it: 00, 10 or 20.
        issuer = any_value(said, b"\x9f\x10")
        kind = bytes(((issuer[4] & 0x30) << 2,)) if issuer and len(issuer) > 6 else b"\x00"
    if not kind or kind[0] & _KIND != _TC:
        return "a tap approved offline without a TC"
    if any_value(said, _SIGNATURE) != any_value(true, _SIGNATURE):
        return "a tap approved offline on a signature that the card did not make"
    return proof(said, true, signed, _FAST)


def any_value(said: list, tag: bytes) -> "bytes | None":
    """The element in the last answers of GPO and of the READ RECORDs behind it (those before it
    read a directory)."""
    found = None
    for each in said:
        if each.command[1] == _GPO:
            found = None
        if each.command[1] in (_GPO, _READ) and each.status == _OK:
            value = first(parse(each.data), tag)
            found = found if value is None else value
    return found


def _record(said: list, command: bytes) -> "bytes | None":
    """What template 70 of a record holds, as it was last read after GET PROCESSING OPTIONS."""
    found = None
    for each in said:
        if each.command[1] == _GPO:
            found = None
        elif each.command[:4] == command[:4] and each.status == _OK:
            nodes = parse(each.data)
            found = first(nodes, b"\x70") if nodes else None
    return found


def proof(said: list, true: list, signed: list, tags: tuple) -> str:
    """Whether all that certificates and signatures cover is as the card has it; '' if so.

    tags: what they are made of.
    """
    for command in signed:
        if _record(said, command) != _record(true, command):
            return "approved offline on a signed record that was changed"
    for tag in tags:
        if any_value(said, tag) != any_value(true, tag):
            return f"approved offline on another {tag.hex()}"
    return ""
