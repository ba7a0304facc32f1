"""Errors in a shopkeeper's words, by the error's class name: what happened and what to do.

`class: (zh, zh_todo, en, en_todo)`. An error not listed is shown as its nearest listed base class.
"""

UNEXPECTED = (
    "程序异常",
    "已记录，请重试；仍有问题请报修",
    "Unexpected fault",
    "Recorded. Retry, or call service",
)

_RETRY = ("请重试", "Try again")
_ANOTHER = ("请换一张卡", "Use another card")
_SIGN_ON = ("请重新签到", "Sign on again")
_NETWORK = ("请检查网络后重试", "Check the network, then retry")
_SERVICE = ("请联系维护人员", "Call service")
_LATER = ("请稍后重试", "Try again later")


def _fault(zh: str, en: str, todo: tuple[str, str]) -> tuple[str, str, str, str]:
    return zh, todo[0], en, todo[1]


FAULTS = {
    # Cards
    "CardRemoved": _fault(
        "卡片已拔出", "Card removed", ("请重新插卡，勿提前拔出", "Insert it again and leave it in")
    ),
    "CardSilent": _fault(
        "卡片无应答", "Card does not answer", ("请挥卡，或换一张卡", "Tap it, or use another card")
    ),
    "CardCollision": _fault(
        "感应到多张卡", "More than one card", ("请只用一张卡", "Hold only one card near")
    ),
    "CardError": _fault(
        "读卡失败", "Card cannot be read", ("请重试，或换一张卡", "Try again, or another card")
    ),
    "CardDataError": _fault("卡片数据有误", "Card data is wrong", _ANOTHER),
    "CardStatusError": _fault("卡片应答异常", "Card answers wrongly", _ANOTHER),
    "CardBlocked": _fault("卡片已锁", "Card is blocked", _ANOTHER),
    "ApplicationBlocked": _fault("卡片应用已锁", "Application is blocked", _ANOTHER),
    "NoApplication": _fault("不支持此卡", "Card not supported", _ANOTHER),
    "ConditionsNotSatisfied": _fault("卡片条件不满足", "Card refuses", _ANOTHER),
    "EmvError": _fault("芯片交易失败", "Chip transaction failed", _ANOTHER),
    "DeclinedByCard": _fault("卡片拒绝交易", "Declined by card", _ANOTHER),
    "CardNotGenuine": _fault("卡片验证未通过", "Card cannot be trusted", _ANOTHER),
    "RefusedAfterApproval": _fault("卡片未接受", "Card did not accept", _ANOTHER),
    "VerificationFailed": _fault("未验证持卡人", "Cardholder not verified", _RETRY),
    # Devices
    "PaperOut": _fault(
        "打印机缺纸", "Out of paper", ("请装入新纸卷并关好门", "Load a roll and close the door")
    ),
    "CoverOpen": _fault(
        "打印机门未关", "Printer door is open", ("请关好纸仓门", "Close the paper door")
    ),
    "PrinterHot": _fault(
        "打印头过热",
        "Printer is too hot",
        ("请稍候，冷却后自动继续", "Wait: it goes on by itself"),
    ),
    "PrinterError": _fault("打印机故障", "Printer fault", _SERVICE),
    "ChipReaderFault": _fault(
        "接触读卡器无应答", "No chip reader", ("请检查连线，或挥卡", "Check its cable, or tap")
    ),
    "TapReaderFault": _fault(
        "非接读卡器无应答", "No tap reader", ("请检查连线，或插卡", "Check its cable, or insert")
    ),
    "DeviceSilent": _fault("设备无应答", "Device does not answer", _SERVICE),
    "DeviceProtocolError": _fault("设备应答异常", "Device answers wrongly", _SERVICE),
    "DeviceError": _fault("设备故障", "Device fault", _SERVICE),
    # The acquirer
    "NoRadio": _fault(
        "无线网络未连接", "No Wi-Fi", ("请检查路由器后重试", "Check the router, then retry")
    ),
    "NoRoute": _fault("连不上收单主机", "Host not reached", _NETWORK),
    "ConnectTimeout": _fault("连接主机超时", "Connecting timed out", _NETWORK),
    "CertificateFault": _fault(
        "主机证书无效",
        "Host certificate refused",
        ("为安全已中断，请联系维护人员", "Cut for safety: call service"),
    ),
    "Disconnected": _fault("联机中断", "Line was cut", _LATER),
    "ReplyTimeout": _fault("主机无应答", "Host did not answer", _LATER),
    "MalformedReply": _fault("主机应答有误", "Host answer malformed", _LATER),
    "MacFault": _fault(
        "主机应答不可信",
        "Answer not trusted",
        ("应答校验未通过，不算数", "It fails its check and does not count"),
    ),
    "KeyFault": _fault("工作密钥校验错误", "Working keys are wrong", _SIGN_ON),
    "NotSignedOn": _fault(
        "终端未签到", "Not signed on", ("请在管理菜单签到", "Menu, Management, Sign on")
    ),
    "ReversalStuck": _fault(
        "冲正未成功",
        "Reversal not through",
        ("暂停联机交易，请联系收单机构", "No payments: call the acquirer"),
    ),
    "Refused": _fault("主机拒绝", "Host refused", ("请联系收单机构", "Call the acquirer")),
    "LinkError": _fault("通讯故障", "Link fault", _NETWORK),
    # The books
    "JournalCorrupt": _fault(
        "交易流水损坏",
        "Journal is damaged",
        ("停止交易，请联系维护人员", "No payments: call service"),
    ),
    "JournalFull": _fault(
        "存储已满", "Storage is full", ("请结算或联系维护人员", "Settle, or call service")
    ),
    "BatchFull": _fault("批次已满", "Batch is full", ("请先结算", "Settle first")),
    "Unsendable": _fault("报文内容过长", "Message too long", _SERVICE),
    "StillOwed": _fault(
        "有未了交易", "Something is still owed", ("请先签到并冲正", "Sign on to clear it")
    ),
    "VaultError": _fault("卡数据无法解密", "Stored data unreadable", _SERVICE),
    "LedgerError": _fault("账务故障", "Ledger fault", _SERVICE),
    # The terminal itself
    "NotProvisioned": _fault(
        "终端未下装", "Not provisioned", ("请联系维护人员下装", "Call service to set it up")
    ),
    "KeyFileCorrupt": _fault("密钥文件损坏", "Key file is damaged", _SERVICE),
    "ParametersCorrupt": _fault("参数文件损坏", "Parameters damaged", _SERVICE),
    "OperatorsCorrupt": _fault("操作员文件损坏", "Operator file damaged", _SERVICE),
    "KeyUsageError": _fault("密钥用途不符", "Key used wrongly", _SERVICE),
    "IntegrityError": _fault("密钥校验失败", "Key check failed", _SERVICE),
    "PinLimitError": _fault(
        "密码输入过于频繁",
        "Too many PINs",
        ("为防止试猜密码，请等半分钟再收款", "To stop guessing: wait half a minute"),
    ),
    "PinExpiredError": _fault(
        "密码输入超时",
        "PIN took too long",
        ("密码已清除，请重新收款", "It was wiped: start the payment again"),
    ),
    "StateError": _fault("安全模块拒绝", "Security module refuses", _RETRY),
    "SelfTestFailed": _fault("自检未通过", "Self-test failed", _SERVICE),
    "MemoryError": _fault("内存不足", "Out of memory", ("终端将重启", "The terminal restarts")),
    "OSError": _fault("系统故障", "System fault", _SERVICE),
}
