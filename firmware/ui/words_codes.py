"""The response codes of field 39 (PROTOCOL.md, "Response codes"): meaning and what to do.

`code: (zh, zh_todo, en, en_todo)`. The first text fits a line of 24 px; the
second, two lines of 16 px.
"""

_ISSUER = ("请持卡人联系发卡行", "Cardholder should call the bank")
_OTHER_CARD = ("请换一张卡", "Use another card")
_AGAIN = ("请稍后重试", "Try again later")
_ACQUIRER = ("请联系收单机构", "Call the acquirer")
_KEEP = ("请没收卡片并联系收单机构", "Keep the card, call the acquirer")
_DATA = ("请核对后重做交易", "Check and start again")


def _code(zh: str, en: str, todo: tuple[str, str]) -> tuple[str, str, str, str]:
    return zh, todo[0], en, todo[1]


UNKNOWN = _code("交易失败", "Transaction failed", _ACQUIRER)

CODES = {
    "00": _code("交易成功", "Approved", ("请打印签购单", "Printing the receipt")),
    "01": _code("请联系发卡行", "Refer to card issuer", _ISSUER),
    "02": _code("请联系发卡行", "Refer to issuer, special", _ISSUER),
    "03": _code("商户未登记", "Invalid merchant", _ACQUIRER),
    "04": _code("请没收卡片", "Pick up card", _KEEP),
    "05": _code("发卡行不予承兑", "Do not honour", _ISSUER),
    "06": _code("发卡行故障", "Issuer error", _AGAIN),
    "07": _code("请没收卡片", "Pick up card, special", _KEEP),
    "10": _code("部分金额批准", "Approved in part", ("请收取其余金额", "Collect the rest")),
    "11": _code("交易成功（贵宾）", "Approved, VIP", ("请打印签购单", "Printing the receipt")),
    "12": _code("无效交易", "Invalid transaction", _DATA),
    "13": _code("无效金额", "Invalid amount", _DATA),
    "14": _code("无效卡号", "Invalid card number", _OTHER_CARD),
    "15": _code("此卡无对应发卡方", "No such issuer", _OTHER_CARD),
    "19": _code("请重做交易", "Start again", _DATA),
    "20": _code("无效应答", "Invalid response", _AGAIN),
    "21": _code("卡未激活", "Card not active", _ISSUER),
    "22": _code("操作有误", "Suspected malfunction", _AGAIN),
    "25": _code("找不到原交易", "Original not found", _DATA),
    "26": _code("重复交易", "Duplicate record", _DATA),
    "30": _code("报文格式错误", "Format error", _ACQUIRER),
    "31": _code("此卡不能受理", "Bank not supported", _OTHER_CARD),
    "33": _code("过期卡", "Expired card", _ISSUER),
    "34": _code("有作弊嫌疑", "Suspected fraud", _KEEP),
    "35": _code("请没收卡片", "Pick up, call acquirer", _KEEP),
    "36": _code("受限制的卡", "Pick up, restricted", _KEEP),
    "37": _code("请没收卡片", "Pick up, call security", _KEEP),
    "38": _code("密码超次", "PIN tries exceeded", _ISSUER),
    "39": _code("无贷记账户", "No credit account", _OTHER_CARD),
    "40": _code("功能尚不支持", "Not supported", _OTHER_CARD),
    "41": _code("挂失卡", "Lost card", _KEEP),
    "42": _code("无此账户", "No such account", _OTHER_CARD),
    "43": _code("被盗卡", "Stolen card", _KEEP),
    "51": _code("余额不足", "Insufficient funds", _OTHER_CARD),
    "52": _code("无支票账户", "No checking account", _OTHER_CARD),
    "53": _code("无储蓄账户", "No savings account", _OTHER_CARD),
    "54": _code("过期卡", "Expired card", _ISSUER),
    "55": _code("密码错误", "Wrong PIN", ("请重新输入密码", "Enter the PIN again")),
    "56": _code("无此卡记录", "No card record", _ISSUER),
    "57": _code("不允许此卡交易", "Not allowed for card", _ISSUER),
    "58": _code("不允许本机交易", "Not allowed here", _ACQUIRER),
    "59": _code("有作弊嫌疑", "Suspected fraud", _ISSUER),
    "60": _code("请联系收单机构", "Call acquirer security", _ACQUIRER),
    "61": _code(
        "超出金额限制", "Over amount limit", ("请减少金额或换卡", "Less, or another card")
    ),
    "62": _code("受限制的卡", "Restricted card", _ISSUER),
    "63": _code("违反安全规定", "Security violation", _ISSUER),
    "64": _code("原始金额不符", "Wrong original amount", _DATA),
    "65": _code("超出次数限制", "Over frequency limit", _OTHER_CARD),
    "66": _code("请联系安全部门", "Call acquirer security", _ACQUIRER),
    "67": _code("请没收卡片", "Capture card", _KEEP),
    "68": _code("发卡行应答超时", "Issuer timed out", _AGAIN),
    "75": _code("密码错误超次", "PIN tries exceeded", _ISSUER),
    "77": _code("批次号不符", "Batch mismatch", ("请重新签到", "Sign on again")),
    "90": _code("系统日切中", "Cut-over in progress", _AGAIN),
    "91": _code("发卡行状态异常", "Issuer unavailable", _AGAIN),
    "92": _code("发卡行线路异常", "Network unreachable", _AGAIN),
    "93": _code("违反法规", "Violation of law", _ACQUIRER),
    "94": _code("重复交易", "Duplicate transaction", _AGAIN),
    "95": _code("对账不平", "Reconciliation error", ("请联系收单机构对账", "Call the acquirer")),
    "96": _code("系统故障", "System malfunction", _AGAIN),
    "97": _code("终端未登记", "Unknown terminal", _ACQUIRER),
    "98": _code("发卡行无应答", "Issuer did not answer", _AGAIN),
    "99": _code("密码格式错误", "PIN format error", ("请重新签到", "Sign on again")),
    "A0": _code("报文校验错误", "MAC check failed", ("请重新签到", "Sign on again")),
    "A2": _code("交易成功", "Approved (A2)", ("请向发卡行确认", "Confirm with the bank")),
    "A4": _code("交易成功", "Approved (A4)", ("请向发卡行确认", "Confirm with the bank")),
    "A5": _code("交易成功", "Approved (A5)", ("请向发卡行确认", "Confirm with the bank")),
    "A6": _code("交易成功", "Approved (A6)", ("请向发卡行确认", "Confirm with the bank")),
    "Y1": _code("脱机交易成功", "Approved offline", ("请打印签购单", "Printing the receipt")),
    "Y3": _code("脱机交易成功", "Approved offline", ("请打印签购单", "Printing the receipt")),
    "Z1": _code("卡片拒绝交易", "Declined by card", _OTHER_CARD),
    "Z3": _code("无法联机，已拒绝", "Declined, not online", _AGAIN),
}

APPROVED = ("00", "10", "11", "A2", "A4", "A5", "A6", "Y1", "Y3")
CAPTURE = ("04", "07", "34", "35", "36", "37", "41", "43", "67")
