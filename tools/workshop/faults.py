"""What can go wrong with a device, each with a code, a cause and a remedy, in zh and en.

A code never changes its meaning: records of past years quote it.
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class WorkshopError(Exception):
    """The root of this package's errors."""


@dataclass(frozen=True)
class Fault:
    """One kind of failure. `cause` and `remedy` hold a sentence or two in each language."""

    code: str
    name: str
    cause: dict[Language, str]
    remedy: dict[Language, str]

    def says(self, language: Language) -> str:
        """The whole message: code, cause, remedy."""
        stop = "" if language == "zh" else " "
        return f"{self.code} {self.cause[language]}{stop}{self.remedy[language]}"


def _fault(code: str, name: str, zh: tuple[str, str], en: tuple[str, str]) -> Fault:
    return Fault(code, name, {"zh": zh[0], "en": en[0]}, {"zh": zh[1], "en": en[1]})


PORT_MISSING = _fault(
    "F01",
    "port-missing",
    ("没有这个串口。", "插好设备，核对端口名称。"),
    ("There is no such serial port.", "Plug the device in and check the port's name."),
)
PORT_BUSY = _fault(
    "F02",
    "port-busy",
    ("端口正被别的程序占用。", "关闭串口监视器或另一个烧录程序，再试一次。"),
    ("Another program holds the port.", "Close the serial monitor or other flasher; try again."),
)
NO_PERMISSION = _fault(
    "F03",
    "no-permission",
    ("当前用户无权打开端口。", "把用户加入 dialout 组，重新登录后再试。"),
    (
        "This user may not open the port.",
        "Add the user to the group dialout, log in again, and retry.",
    ),
)
NO_ANSWER = _fault(
    "F04",
    "no-answer",
    ("芯片没有应答。", "按住 BOOT 再按一下 RESET，然后重试；仍不行就换数据线，检查供电。"),
    (
        "The chip does not answer.",
        "Hold BOOT, press RESET once, and retry; if that fails, change the cable and check power.",
    ),
)
WRONG_CHIP = _fault(
    "F05",
    "wrong-chip",
    ("芯片型号不对，不是 ESP32-S3。", "取下设备，核对主板型号；不要烧录。"),
    ("The chip is not an ESP32-S3.", "Take the device off and check which board it is."),
)
WRONG_FLASH = _fault(
    "F06",
    "wrong-flash-size",
    ("闪存容量与镜像要求不符。", "核对模组型号（应为 N16R8）；此板不可使用该镜像。"),
    (
        "The flash is not of the size that the image needs.",
        "Check the module's type (N16R8 is expected); this board cannot take this image.",
    ),
)
UNPLUGGED = _fault(
    "F07",
    "unplugged",
    ("设备在中途断开。", "插牢设备，再运行一次；已写好的部分不会重写。"),
    (
        "The device went away in the middle.",
        "Plug it in firmly and run again; what is already written is not written twice.",
    ),
)
BAD_CABLE = _fault(
    "F08",
    "bad-cable",
    ("传输出错，降到最低波特率仍不行。", "换一根短的好数据线，直接插电脑，不要经过集线器。"),
    (
        "The line garbles data, even at the lowest baud rate.",
        "Change to a short, good cable, straight into the computer, without a hub.",
    ),
)
DEAD_FLASH = _fault(
    "F09",
    "dead-flash",
    ("闪存写入后校验不符，或闪存没有应答。", "闪存已坏：把主板放入报废箱，换一块。"),
    (
        "The flash does not keep what is written, or does not answer.",
        "The flash is broken: put the board aside as scrap and take another.",
    ),
)
DUPLICATE_MAC = _fault(
    "F10",
    "duplicate-mac",
    (
        "这个 MAC 地址已有记录。",
        "该设备已做过，可取下；确需重写请加 --again；若不是同一台，请上报。",
    ),
    (
        "This MAC address is already in the record.",
        "The device was made before: take it off. To write it anew use --again. "
        "If it is another device, report it.",
    ),
)
DUPLICATE_SERIAL = _fault(
    "F11",
    "duplicate-serial",
    ("这个序列号已属于另一台设备。", "换一个序列号，或让程序自动编号。"),
    (
        "This serial number belongs to another device.",
        "Give another one, or let the program number.",
    ),
)
INTERRUPTED = _fault(
    "F12",
    "interrupted",
    ("烧录程序在中途停止。", "再运行一次，会从断点继续。"),
    ("The flashing program ended in the middle.", "Run it again: it goes on where it was."),
)
IMAGE_MISSING = _fault(
    "F13",
    "image-missing",
    ("缺少镜像或清单文件。", "先运行 make firmware，或用 --images 指明清单。"),
    (
        "An image or its manifest is missing.",
        "Run make firmware first, or name the manifest with --images.",
    ),
)
IMAGE_CORRUPT = _fault(
    "F14",
    "image-corrupt",
    ("镜像与清单中的 SHA-256 不符，或清单有误。", "重新生成或重新复制镜像；不要改清单。"),
    (
        "An image is not what the manifest's SHA-256 says, or the manifest is wrong.",
        "Build or copy the images again; do not edit the manifest.",
    ),
)
TOOL_FAILED = _fault(
    "F15",
    "tool-failed",
    ("烧录工具自身出错。", "把详细信息连同记录交给工程师。"),
    ("The flashing tool itself failed.", "Give the details and the record to the engineer."),
)
PROTECTED = _fault(
    "F16",
    "protected",
    ("芯片已启用安全下载模式，无法读取身份或校验。", "该设备已量产锁定，不能在此工位重写。"),
    (
        "The chip is in secure download mode: it can be neither identified nor verified.",
        "The device is locked as a product and cannot be written at this station.",
    ),
)

NOT_FLASHED = _fault(
    "F17",
    "not-flashed",
    ("记录中没有这台设备的成功烧录。", "先用 pos flash 烧录并校验，再注入。"),
    (
        "The record knows of no good flashing of this device.",
        "Flash and verify it with pos flash first.",
    ),
)
NO_CONSOLE = _fault(
    "F18",
    "no-console",
    ("设备的控制台没有应答。", "按一下 RESET 再试；确认设备不在下载模式，数据线接的是 USB 口。"),
    (
        "The device's console does not answer.",
        "Press RESET and retry; see that it is not in its loader and that the cable is in USB.",
    ),
)
NO_TERMINAL = _fault(
    "F19",
    "no-terminal",
    ("设备上的固件不是本终端的固件。", "用 pos flash 重新烧录正确的镜像。"),
    ("The firmware on the device is not this terminal's.", "Flash the right image, then retry."),
)
DEVICE_STOPPED = _fault(
    "F20",
    "device-stopped",
    ("设备在注入途中停止应答或程序出错。", "再运行一次；仍不行就连同记录交给工程师。"),
    (
        "The device stopped answering, or its program failed, during the injection.",
        "Run it again; if it happens again, give the record to the engineer.",
    ),
)
DUPLICATE_TERMINAL = _fault(
    "F21",
    "duplicate-terminal",
    ("这个终端号已属于另一台设备。", "换一个终端号，或让程序自动编号。"),
    (
        "This terminal number belongs to another device.",
        "Give another one, or let the program number.",
    ),
)
WRONG_KCV = _fault(
    "F22",
    "wrong-kcv",
    ("主密钥的校验值与密钥函上的不符。", "设备上没有留下密钥。核对两份密钥函，重新输入。"),
    (
        "The master key's check value is not the one in the key letter.",
        "No key was left on the device. Compare both letters and enter the components again.",
    ),
)
KEY_REFUSED = _fault(
    "F23",
    "key-refused",
    (
        "设备拒绝了密钥分量或密钥块。",
        "设备上没有留下密钥。核对分量、密钥块与保护密钥是否配套。",
    ),
    (
        "The device refuses a key component or the key block.",
        "No key was left on the device. See that components and key block belong together.",
    ),
)
PAPERS_REFUSED = _fault(
    "F24",
    "papers-refused",
    ("设备拒绝了参数、证书、操作员或批次号。", "按详细信息改正参数文件，再运行一次。"),
    (
        "The device refuses a parameter, the certificate, an operator or the batch.",
        "Correct the parameter file as the details say, and run again.",
    ),
)
SELF_TEST_FAILED = _fault(
    "F25",
    "self-test-failed",
    ("设备自检未通过。", "按详细信息检查屏幕、打印机（纸）、读卡器的连线，再运行一次。"),
    (
        "The device's self-test failed.",
        "Check what the details name (screen, paper, readers: the wiring), and run again.",
    ),
)
KEY_NOT_KEPT = _fault(
    "F26",
    "key-not-kept",
    ("写入闪存后读回的密钥与注入的不符。", "设备不可用：放入待修箱，交给工程师。"),
    (
        "The keys that come back from flash are not those that were injected.",
        "The device is not fit for use: put it aside for the engineer.",
    ),
)
PAPERS_MISSING = _fault(
    "F27",
    "papers-missing",
    ("参数文件、CA 证书或密钥块文件不能用。", "按详细信息改正文件，再运行一次。"),
    (
        "The parameter file, the CA certificate or the key block's file is of no use.",
        "Correct the file as the details say, and run again.",
    ),
)
KEY_MISTYPED = _fault(
    "F28",
    "key-mistyped",
    ("输入的密钥分量有误。", "照密钥函再输入一次；没有动过任何设备。"),
    (
        "A key component was typed wrongly.",
        "Type it again from the letter; no device was touched.",
    ),
)
SECURED = _fault(
    "F29",
    "secured",
    (
        "芯片的 eFuse 已启用闪存加密或安全启动。",
        "设备已按成品锁定，未加密的镜像或擦除会使它报废。放到一边，交给工程师。",
    ),
    (
        "The chip's eFuses have flash encryption or secure boot on.",
        "It is locked as a product: a plain image, or erasing, would make it useless. "
        "Put it aside for the engineer.",
    ),
)

FAULTS = {
    fault.name: fault
    for fault in (
        PORT_MISSING,
        PORT_BUSY,
        NO_PERMISSION,
        NO_ANSWER,
        WRONG_CHIP,
        WRONG_FLASH,
        UNPLUGGED,
        BAD_CABLE,
        DEAD_FLASH,
        DUPLICATE_MAC,
        DUPLICATE_SERIAL,
        INTERRUPTED,
        IMAGE_MISSING,
        IMAGE_CORRUPT,
        TOOL_FAILED,
        PROTECTED,
        NOT_FLASHED,
        NO_CONSOLE,
        NO_TERMINAL,
        DEVICE_STOPPED,
        DUPLICATE_TERMINAL,
        WRONG_KCV,
        KEY_REFUSED,
        PAPERS_REFUSED,
        SELF_TEST_FAILED,
        KEY_NOT_KEPT,
        PAPERS_MISSING,
        KEY_MISTYPED,
        SECURED,
    )
}


class DeviceFault(WorkshopError):
    """A device (or its image) failed: which kind, and what the tool said about it."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault.says('en')} {detail}".strip())
        self.fault = fault
        self.detail = detail
