"""The menu: the tree that merchants know, with the numbers they know. What does not exist yet is
not shown, and keeps its number free.
"""

from firmware.care.operators import role
from firmware.flows.by_hand import settle_by_hand
from firmware.flows.echo import echo
from firmware.flows.facts import show_facts, show_faults
from firmware.flows.language import language
from firmware.flows.login import change_password
from firmware.flows.reprint import reprint_last
from firmware.flows.sale import sale
from firmware.flows.selftest import self_test
from firmware.flows.sign_off import sign_off
from firmware.flows.sign_on import sign_on
from firmware.ui.ask import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from firmware.flows.pos import Pos

    Flow = Callable[[Pos], Awaitable[None]]


async def log_out(pos: "Pos") -> None:
    """Nobody is at work; the login screen comes next."""
    pos.operator = ""


# (key, text id, flow or entries)
_CASHIER = (
    ("1", "sale", sale),
    (
        "5",
        "management",
        (
            ("1", "sign-on", sign_on),
            ("2", "sign-off", sign_off),
            ("6", "echo", echo),
            ("7", "change-password", change_password),
            ("8", "switch-operator", log_out),
        ),
    ),
    ("6", "print-menu", (("1", "reprint", reprint_last),)),
)
_SUPERVISOR = (
    ("1", "language", language),
    ("2", "by-hand", settle_by_hand),
    ("3", "faults", show_faults),
    ("4", "change-password", change_password),
    ("5", "lock", log_out),
)
_ADMINISTRATOR = (
    ("1", "terminal-facts", show_facts),
    ("2", "self-test", self_test),
    ("3", "faults", show_faults),
    ("4", "change-password", change_password),
    ("5", "logout", log_out),
)
_TREES = {"cashier": _CASHIER, "supervisor": _SUPERVISOR, "administrator": _ADMINISTRATOR}
_TITLES = {"cashier": "menu", "supervisor": "supervisor", "administrator": "administrator"}


async def menu(pos: "Pos") -> "Flow":
    """The flow that was chosen; Cancelled at the top level, TimedOut anywhere."""
    who = role(pos.operator)
    return await _choose(pos, _TITLES[who], _TREES[who])


async def _choose(pos: "Pos", title: str, entries: tuple) -> "Flow":
    """Go down the tree; 取消 in a lower level comes back to this one."""
    while True:
        options = [(key, pos.words(name)) for key, name, _ in entries]
        index = await pos.ask.choice(pos.words(title), options)
        _, name, leads_to = entries[index]
        if not isinstance(leads_to, tuple):
            return leads_to
        try:
            return await _choose(pos, name, leads_to)
        except Cancelled:
            continue
