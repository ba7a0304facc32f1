"""The master key in the hands of two people: its components, typed without echo, never on disk.

Each person types their component and the check value that stands in their letter; a slip of the
fingers is seen at once. Nobody combines the components here: the device does. With a key block
(TR-31) the components are those of the key that protects it, and the device opens it.

What Python cannot promise: the check value of a component is computed on a copy that is freed and
not wiped. Core dumps are switched off; on a machine that swaps, switch that off too.
"""

import contextlib
import os
import resource
import sys
import termios
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.utils import CryptographyDeprecationWarning
from psec import des

from tools.workshop.faults import KEY_MISTYPED, DeviceFault, Language
from tools.workshop.injection import wipe

# Two-key TDES is what the master key is; the warning would stand between the prompts.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module="psec")

PEOPLE = 2
TRIES = 3
KCV_DIGITS = 6
SIZES = {"": (16, 24), "TDES": (16, 24), "AES": (16, 24, 32)}  # bytes; '': the master key
ZERO_BLOCK = bytes(16)

WORDS: dict[str, dict[Language, str]] = {
    "name": {"zh": "保管人 {n} 的姓名：", "en": "Name of custodian {n}: "},
    "component": {
        "zh": "{who}，请输入您的分量（不显示）：",
        "en": "{who}, type your component (it is not shown): ",
    },
    "kcv": {"zh": "{who}，您的信函上的校验值：", "en": "{who}, the check value in your letter: "},
    "again": {"zh": "分量与校验值不符，请再输入一次。", "en": "They do not fit; type it again."},
    "form": {
        "zh": "分量应为 {digits} 位十六进制数字，请再输入一次。",
        "en": "A component has {digits} hex digits; type it again.",
    },
    "master kcv": {
        "zh": "主密钥的校验值（6 位）：",
        "en": "The master key's check value (6 digits): ",
    },
}


@dataclass
class MasterKey:
    """What goes to every device.

    kcv: the master key's check value, 6 hex digits. protects, block: '' when the components are
    the master key's own; else the algorithm of the key that protects the block, and the block.
    """

    kcv: str
    components: list[bytearray]
    custodians: list[str]
    protects: str = ""
    block: str = ""

    def wipe(self) -> None:
        """Overwrite the components."""
        for part in self.components:
            wipe(part)


@dataclass
class Desk:
    """Where they type: a descriptor to read and one to prompt on, in a language."""

    language: Language
    source: int = field(default_factory=lambda: sys.stdin.fileno())
    say: Callable[[str], None] = lambda text: print(text, end="", file=sys.stderr, flush=True)

    def word(self, key: str, **values: object) -> str:
        """A prompt."""
        return WORDS[key][self.language].format(**values)

    def line(self, prompt: str) -> str:
        """A line that may be seen. DeviceFault when the input is over."""
        self.say(prompt)
        text = bytearray()
        while (byte := os.read(self.source, 1)) not in (b"\n", b""):
            text += byte
        if not byte and not text:
            raise DeviceFault(KEY_MISTYPED, "the input is over")
        return text.decode("utf-8", "replace").strip()

    def secret(self, prompt: str) -> bytearray:
        """Hex digits of a line that is not shown; spaces are passed over. Nothing: other words.

        DeviceFault when the input is over.
        """
        self.say(prompt)
        part, count, good = bytearray(max(SIZES["AES"])), 0, True
        with _no_echo(self.source):
            while (byte := os.read(self.source, 1)) not in (b"\n", b""):
                value = b"0123456789ABCDEF".find(byte.upper())
                if byte in (b" ", b"\r"):
                    continue
                if value < 0 or count >= 2 * len(part):
                    good = False
                    continue
                part[count // 2] |= value << (0 if count % 2 else 4)
                count += 1
        self.say("\n")
        component = part[: count // 2] if good and count % 2 == 0 else bytearray()
        wipe(part)
        if not byte and not count:
            raise DeviceFault(KEY_MISTYPED, "the input is over")
        return component


@contextlib.contextmanager
def _no_echo(source: int) -> Iterator[None]:
    """A terminal does not show what is typed; a pipe shows nothing anyway."""
    if not os.isatty(source):
        yield
        return
    before = termios.tcgetattr(source)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(source, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        termios.tcsetattr(source, termios.TCSADRAIN, before)


def component_kcv(part: bytearray, protects: str = "") -> str:
    """The check value of a component, 6 hex digits: zeros enciphered, or for AES their CMAC."""
    if protects == "AES":
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.cmac import CMAC

        check = CMAC(AES(bytes(part)))
        check.update(ZERO_BLOCK)
        return check.finalize()[: KCV_DIGITS // 2].hex().upper()
    return des.generate_kcv(bytes(part), KCV_DIGITS // 2).hex().upper()


def ask(desk: Desk, kcv: str = "", block: str = "", protects: str = "") -> MasterKey:
    """Have both people type. DeviceFault KEY_MISTYPED when they cannot."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if kcv:
        _check_kcv(kcv.upper())  # before two people have typed for nothing
    key = MasterKey(kcv, [], [], protects, block)
    try:
        for number in range(1, PEOPLE + 1):
            who = desk.line(desk.word("name", n=number))
            if not who or who in key.custodians:
                raise DeviceFault(KEY_MISTYPED, "the custodians are two people with two names")
            key.custodians.append(who)
            key.components.append(_one(desk, who, protects))
        sizes = {len(part) for part in key.components}
        if len(sizes) != 1:
            raise DeviceFault(KEY_MISTYPED, "the components are not of one length")
        key.kcv = (kcv or desk.line(desk.word("master kcv"))).upper()
        _check_kcv(key.kcv)
    except BaseException:
        key.wipe()
        raise
    return key


def _one(desk: Desk, who: str, protects: str) -> bytearray:
    """One person's component, once it fits its check value."""
    for _ in range(TRIES):
        part = desk.secret(desk.word("component", who=who))
        if len(part) not in SIZES[protects]:
            wipe(part)
            digits = " / ".join(str(2 * size) for size in SIZES[protects])
            desk.say(desk.word("form", digits=digits) + "\n")
            continue
        stated = desk.line(desk.word("kcv", who=who)).upper()
        if stated == component_kcv(part, protects):
            return part
        wipe(part)
        desk.say(desk.word("again") + "\n")
    raise DeviceFault(KEY_MISTYPED, f"{who}: {TRIES} times it did not fit its letter")


def _check_kcv(kcv: str) -> None:
    if len(kcv) != KCV_DIGITS or any(digit not in "0123456789ABCDEF" for digit in kcv):
        raise DeviceFault(KEY_MISTYPED, f"a check value has {KCV_DIGITS} hex digits")
