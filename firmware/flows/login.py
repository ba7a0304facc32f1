"""操作员登录: who is at work. A first login forces a new password; failures slow it down."""

from firmware.care.errors import BackOff, OperatorUnknown, PasswordWrong
from firmware.care.operators import digits_of
from firmware.ui.ask import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos

_BRIEF_S = const(2)


async def login(pos: "Pos") -> None:
    """Ask for number and password once; `pos.operator` is set when this returns without an error.

    Cancelled, TimedOut; what is wrong with the password is shown here and ends as Cancelled.
    """
    number = (await pos.ask.digits("login", "enter-operator", 2, masked=False)).decode()
    await identify(pos, number)
    pos.operator = number
    pos.board.buzzer.beep("ok")


async def identify(pos: "Pos", number: str) -> None:
    """Let operator `number` prove who they are. Cancelled if they cannot; it was shown why."""
    words = pos.words
    try:
        length = digits_of(number)
        if number not in pos.operators.numbers():
            raise OperatorUnknown(number)
        password = await pos.ask.digits("login", "enter-password", length, masked=True)
        must_change = pos.operators.check(number, password)
    except OperatorUnknown:
        await pos.say("bad", words("operator-unknown"), (words("operator", number), 24))
        raise Cancelled("no such operator") from None
    except PasswordWrong:
        await pos.say("bad", words("password-wrong"), (words("do-retry"), 24))
        raise Cancelled("wrong password") from None
    except BackOff as error:
        await pos.say(
            "bad", words("password-wrong"), (words("operator-wait", error.seconds), 24)
        )
        raise Cancelled("too many failures") from None
    if must_change:
        hint = words("must-change-todo", length)
        await pos.ask.message("warn", words("must-change"), [(hint, 24)])
        await _new_password(pos, number, length)


async def change_password(pos: "Pos") -> None:
    """改密码 of who is logged in: the old one, then the new one twice."""
    await identify(pos, pos.operator)
    await _new_password(pos, pos.operator, digits_of(pos.operator))


async def _new_password(pos: "Pos", number: str, length: int) -> None:
    """Ask for a new password twice until both agree and it is another one. Cancelled, TimedOut."""
    words = pos.words
    while True:
        new = await pos.ask.digits("change-password", "new-password", length, masked=True)
        again = await pos.ask.digits("change-password", "repeat-password", length, masked=True)
        if new != again:
            complaint = "password-differs"
        elif pos.operators.matches(number, bytearray(new)):
            complaint = "password-same"
        else:
            break
        await pos.say("warn", words(complaint), (words("do-retry"), 24))
    _wipe(again)
    pos.operators.change(number, new)
    await pos.ask.message("ok", words("password-changed"), [], seconds=_BRIEF_S)


def _wipe(buffer: bytearray) -> None:
    for index in range(len(buffer)):
        buffer[index] = 0
