"""Faults planted into lib/emv at run time: the fuzz is only as good as what it finds of these."""

from emv import contact, fdda, generate, online, records, session, store
from emv import elements as e

_kept: list = []


def _second_always_approves() -> None:
    true = generate.generate

    async def generated(work: object, decision: str, second: bool) -> str:
        came = await true(work, decision, second)
        return decision if second else came

    generate.generate = generated


def _any_kind_allowed() -> None:
    generate._ALLOWED = {kind: (0x00, 0x40, 0x80) for kind in (0x00, 0x40, 0x80)}


def _issuer_not_authenticated() -> None:
    async def ignored(work: object, data: "bytes | None") -> None:
        return None

    online.issuer_authentication = ignored


def _issuer_refusal_ignored() -> None:
    true = online.issuer_authentication

    async def ignored(work: object, data: "bytes | None") -> None:
        await true(work, data)
        work.set_tvr(e.TVR_ISSUER_AUTHENTICATION_FAILED, False)

    online.issuer_authentication = ignored


def _every_code_approves() -> None:
    contact.APPROVING = contact.APPROVING + ("05", "51", "55", "Q1")


def _tap_not_proven() -> None:
    fdda.verify = lambda work: None


def _cda_never_fails() -> None:
    contact.combined.failed = lambda work: False


def _never_ending() -> None:
    session._ROUNDS = 1 << 28


def _leak() -> None:
    true = session.Session.wipe

    def wipe(work: object) -> None:
        _kept.append(bytes(8))
        true(work)

    session.Session.wipe = wipe


def _not_wiped() -> None:
    store.Store.clear = lambda held: setattr(held, "used", 0)


def _careless_index() -> None:
    def entries(locator: memoryview) -> list:
        places = range(0, len(locator), 4)
        return [(locator[at] >> 3, locator[at + 1], locator[at + 2], 0) for at in places]

    records.entries = entries


def _hoarder() -> None:
    true = records.read

    async def read(work: object, repeats: bool = False) -> None:
        work.hoard = bytearray(32 * 1024)
        await true(work, repeats)

    records.read = read


PLANTS = {
    "second always approves": _second_always_approves,
    "any kind allowed": _any_kind_allowed,
    "issuer not authenticated": _issuer_not_authenticated,
    "issuer refusal ignored": _issuer_refusal_ignored,
    "every code approves": _every_code_approves,
    "tap not proven": _tap_not_proven,
    "CDA never fails": _cda_never_fails,
    "never ending": _never_ending,
    "leak": _leak,
    "not wiped": _not_wiped,
    "careless index": _careless_index,
    "hoarder": _hoarder,
}


def plant(name: str) -> None:
    """Plant one; '' none."""
    if name:
        PLANTS[name]()
