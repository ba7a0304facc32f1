"""The order in which a product's eFuses would be burnt, rehearsed on espefuse's virtual ones.

The real espsecure makes a test key and signs and verifies an image with it; the real espefuse
burns a file in a temporary folder. **No chip is touched**: there is no port here. eFuses go one
way, so each rule says what can never be put right once it is broken (ESP-IDF, "Security Features
Enablement Workflows"; ESP32-S3 technical reference manual, "eFuse Controller").
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espefuse import init_commands
from esptool.logger import log
from esptool.util import FatalError

from tools.workshop.faults import Language, WorkshopError

CHIP = "esp32s3"
KEY_BYTES = 32
SIGNATURE_SECTOR = 4096
IMPLIED = {"WR_DIS"}  # its bits are the W of the others

Text = dict[Language, str]


class OrderRefused(WorkshopError):
    """A step stands where it would do harm: `step`, and the reason in both languages."""

    def __init__(self, step: str, reason: Text) -> None:
        super().__init__(f"{step}: {reason['en']}")
        self.step = step
        self.reason = reason


class RehearsalFailed(WorkshopError):
    """espefuse or espsecure refused or failed; the message is what it said."""


@dataclass(frozen=True)
class Step:
    """One step. burn: (espefuse command, its arguments); files are names in the folder."""

    name: str
    title: Text
    burn: tuple[tuple[str, tuple[str, ...]], ...] = ()


STEPS = {
    step.name: step
    for step in (
        Step("sign", {"zh": "签名并验签引导程序", "en": "sign the boot loader and verify it"}),
        Step(
            "hmac",
            {"zh": "pinmac 的 HMAC 密钥，禁止读出", "en": "pinmac's HMAC key, made unreadable"},
            (("burn_key", ("BLOCK_KEY4", "hmac.bin", "HMAC_UP")),),
        ),
        Step(
            "flash-key",
            {"zh": "闪存加密密钥，禁止读出", "en": "the flash encryption key, made unreadable"},
            (("burn_key", ("BLOCK_KEY1", "flash.bin", "XTS_AES_128_KEY")),),
        ),
        Step(
            "flash-control",
            {"zh": "启用闪存加密（量产模式）", "en": "flash encryption on, release mode"},
            (
                ("burn_efuse", ("SPI_BOOT_CRYPT_CNT=7", "DIS_DOWNLOAD_MANUAL_ENCRYPT=1",
                                "DIS_DOWNLOAD_ICACHE=1", "DIS_DOWNLOAD_DCACHE=1")),
            ),
        ),  # fmt: skip
        Step(
            "digest",
            {"zh": "签名公钥摘要；作废其余两个", "en": "the signing key's digest; others revoked"},
            (
                ("burn_key", ("BLOCK_KEY0", "digest.bin", "SECURE_BOOT_DIGEST0")),
                ("burn_efuse", ("SECURE_BOOT_KEY_REVOKE1=1", "SECURE_BOOT_KEY_REVOKE2=1")),
            ),
        ),
        Step(
            "lock-reads",
            {"zh": "读保护位写锁", "en": "lock the read-protection bits"},
            (("write_protect_efuse", ("RD_DIS",)),),
        ),
        Step(
            "secure-boot",
            {"zh": "启用安全启动 v2", "en": "secure boot v2 on"},
            (("burn_efuse", ("SECURE_BOOT_EN=1",)),),
        ),
        Step(
            "jtag",
            {"zh": "关闭全部 JTAG", "en": "all JTAG off"},
            (("burn_efuse", ("SOFT_DIS_JTAG=7", "DIS_PAD_JTAG=1", "DIS_USB_JTAG=1")),),
        ),
        Step(
            "download",
            {"zh": "下载模式改为安全模式", "en": "download mode in its secure form"},
            (("burn_efuse", ("ENABLE_SECURITY_DOWNLOAD=1", "DIS_DIRECT_BOOT=1")),),
        ),
    )
}
UNREADABLE: Text = {
    "zh": "RD_DIS 一旦写锁，再烧的密钥就永远可以被软件读出。",
    "en": "once RD_DIS is write-protected, a key burnt later stays readable by software for ever.",
}
LAST: Text = {
    "zh": "安全下载模式之后，espefuse 再也碰不到 eFuse：缺的步骤永远补不上。",
    "en": "after secure download mode espefuse cannot reach the eFuses: what is missing stays so.",
}
# (earlier, later, why): `later` must not come before `earlier`, nor without it.
RULES: tuple[tuple[str, str, Text], ...] = (
    ("hmac", "lock-reads", UNREADABLE),
    ("flash-key", "lock-reads", UNREADABLE),
    ("flash-key", "flash-control", {
        "zh": "没有密钥就打开加密：首次启动会自己造一把谁也不知道的密钥。",
        "en": "with encryption on and no key, the first start makes a key that nobody has.",
    }),
    ("sign", "digest", {
        "zh": "摘要必须属于确实验过签的那把钥匙，否则永远没有能启动的镜像。",
        "en": "the digest must be of a key whose signature verified: else no image ever boots.",
    }),
    ("digest", "secure-boot", {
        "zh": "没有摘要就启用安全启动：芯片从此不启动任何程序。",
        "en": "with secure boot on and no digest, the chip never boots anything again.",
    }),
    ("lock-reads", "secure-boot", {
        "zh": "RD_DIS 未锁时，攻击者可把摘要设为不可读，使设备永远无法启动。",
        "en": "while RD_DIS is open, an attacker can make the digest unreadable: no more boots.",
    }),
    *((name, "download", LAST) for name in STEPS if name != "download"),
)  # fmt: skip


def check_order(names: Sequence[str]) -> None:
    """OrderRefused for the first step that breaks a rule; ValueError: no, unknown, double ones."""
    if not names:
        raise ValueError("there is no step in this order")
    for at, name in enumerate(names):
        if name not in STEPS or name in names[:at]:
            raise ValueError(f"there is no step {name}, or it is there twice")
        for earlier, later, why in RULES:
            if later == name and earlier not in names[:at]:
                raise OrderRefused(name, why)


@dataclass
class Effect:
    """What a step did: (eFuse, before, after) of each that changed, or what espsecure said."""

    step: Step
    changes: list[tuple[str, str, str]]


class Rehearsal:
    """Virtual eFuses and test keys in a folder. `run` does a step and gives its effect.

    It does what it is told, in any order: `check_order` is for the caller, and where espefuse
    itself refuses, that is RehearsalFailed.
    """

    def __init__(self, folder: Path, image: bytes = b"") -> None:
        self._folder = folder
        self._image = image or os.urandom(SIGNATURE_SECTOR - 96)
        self._commands: Any = None  # espefuse's, over the file
        self._last: dict[str, dict[str, Any]] = {}
        self.efuses = folder / "efuses.bin"
        for name in ("hmac.bin", "flash.bin"):
            (folder / name).write_bytes(os.urandom(KEY_BYTES))
        self._espsecure("generate-signing-key", "--version", "2", "--scheme", "rsa3072", "key.pem")
        self._espsecure("digest-sbv2-public-key", "--keyfile", "key.pem", "-o", "digest.bin")

    def run(self, name: str) -> Effect:
        """Do one step."""
        step = STEPS[name]
        if name == "sign":
            return Effect(step, self._sign())
        before = self._last or self.summary()
        for command, arguments in step.burn:
            self._burn(command, arguments)
        after = self.summary()
        changed = [
            (field, _shown(before[field]), _shown(after[field]))
            for field in after
            if before[field] != after[field] and field not in IMPLIED
        ]
        return Effect(step, changed)

    def summary(self) -> dict[str, dict[str, Any]]:
        """espefuse's summary of the virtual eFuses: name → value, readable, writeable …"""
        path = self._folder / "summary.json"
        with path.open("w", encoding="utf-8") as file:
            self._espefuse(lambda commands: commands.summary(format="json", file=file))
        self._last = json.loads(path.read_text(encoding="utf-8"))
        return self._last

    def verify(self, image: Path) -> str:
        """What espsecure says of a signed image; RehearsalFailed when it does not verify."""
        words = self._espsecure(
            "verify-signature", "--version", "2", "--keyfile", "key.pem", str(image)
        )
        return next(line for line in words.split("\n") if "successful" in line)

    def _sign(self) -> list[tuple[str, str, str]]:
        image, signed = self._folder / "boot.bin", self._folder / "signed.bin"
        image.write_bytes(self._image)
        keys = ("--version", "2", "--keyfile", "key.pem")
        self._espsecure("sign-data", *keys, "-o", str(signed), str(image))
        size = f"{image.stat().st_size} → {signed.stat().st_size}"
        return [("boot.bin", size, self.verify(signed))]

    def _burn(self, command: str, arguments: tuple[str, ...]) -> None:
        with ExitStack() as stack:
            if command == "burn_key":
                block, name, purpose = arguments
                file = stack.enter_context((self._folder / name).open("rb"))
                self._espefuse(lambda c: c.burn_key([block], [file], [purpose]))
            elif command == "burn_efuse":
                values = dict(argument.split("=") for argument in arguments)
                self._espefuse(lambda c: c.burn_efuse(values))
            else:
                self._espefuse(lambda c: c.write_protect_efuse(list(arguments)))

    def _espefuse(self, do: Callable[[Any], None]) -> None:
        """One espefuse command, on the file."""
        log.set_verbosity("silent")
        try:
            if self._commands is None:
                self._commands = init_commands(
                    chip=CHIP, virt=True, virt_efuse_file=str(self.efuses), do_not_confirm=True
                )
            do(self._commands)
        except (FatalError, SystemExit) as error:
            self._commands = None  # what it had in mind to burn is forgotten; the file counts
            raise RehearsalFailed(f"espefuse: {error}") from error

    def _espsecure(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "espsecure", *arguments], cwd=self._folder,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RehearsalFailed(f"espsecure: {(done.stderr + done.stdout).strip()}")
        return done.stdout


def _shown(field: dict[str, Any]) -> str:
    """A value with its protection; a key as its presence alone."""
    value = str(field["value"])
    if field["efuse_type"].startswith("bytes"):
        hidden = "?" in value
        value = "hidden" if hidden else "written" if int(field["raw_value"], 16) else "empty"
    rights = ("R" if field["readable"] else "-") + ("W" if field["writeable"] else "-")
    return f"{value} {rights}"
