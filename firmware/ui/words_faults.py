"""Errors in a shopkeeper's words, by the error's class name: what happened and what to do.

`class: (zh, zh_todo, en, en_todo)`. An error not listed is shown as its nearest listed base class.
"""

UNEXPECTED = ("程序异常", "已记录,请重试;仍有问题请报修", "Unexpected fault", "Recorded. Retry, or call service")

_RETRY = ("请重试", "Try again")
_SERVICE = ("请联系维护人员", "Call service")
_RESEND = ("请重试;如已扣款将自动冲正", "Retry; a charge is reversed")


def _fault(zh: str, en: str, todo: tuple[str, str]) -> tuple[str, str, str, str]:
    return zh, todo[0], en, todo[1]


FAULTS = {
    # Cards
    "CardRemoved": _fault("卡片已拔出", "Card removed", ("请重新插卡,勿提前拔出", "Insert it again and leave it in")),
    "CardSilent": _fault("卡片无应答", "Card does not answer", ("请挥卡,或换一张卡", "Tap it, or use another card")),
    "CardCollision": _fault("感应到多张卡", "More than one card", ("请只用一张卡", "Hold only one card near")),
    "CardError": _fault("读卡失败", "Card cannot be read", ("请重试,或换一张卡", "Try again, or another card")),
    # Devices
    "PaperOut": _fault("打印机缺纸", "Out of paper", ("请装入新纸卷并关好门", "Load a roll and close the door")),
    "CoverOpen": _fault("打印机门未关", "Printer door is open", ("请关好纸仓门", "Close the paper door")),
    "PrinterHot": _fault("打印头过热", "Printer is too hot", ("请稍候,冷却后自动继续", "Wait: it goes on by itself")),
    "PrinterError": _fault("打印机故障", "Printer fault", _SERVICE),
    "DeviceSilent": _fault("设备无应答", "Device does not answer", _SERVICE),
    "DeviceProtocolError": _fault("设备应答异常", "Device answers wrongly", _SERVICE),
    "DeviceError": _fault("设备故障", "Device fault", _SERVICE),
}
