"""Receipts: what stands on which copy, in 32 columns, and what must never stand there."""

import escpos
import gb18030

from firmware.ledger.record import CHIP, TAP, Txn
from firmware.ui import receipts

PAN = "6225880000071234"


def sale(entry=CHIP, **fields):
    txn = Txn(1, 7)
    values = {
        "kind": "sale", "amount": 1234, "operator": "01", "entry": entry,
        "masked": "622588******1234", "aid": "A000000333010101", "label": "UNIONPAY DEBIT",
        "authorisation_code": "123456", "reference": "000000000007",
        "institutions": "01020000   48021000   ", "cryptogram": "0123456789ABCDEF",
        "tvr": "0000008000", "tsi": "E800", "atc": "0001",
    }  # fmt: skip
    values.update(fields)
    txn.apply(3, values)
    return txn


def facts(name="测试商户有限公司"):
    return receipts.Facts(name, "898610154110001", "SP000001", "2026/11/23 20:05:33", "3012")


def printed(data):
    """The text lines of a document: commands taken out, a line's width in columns counted."""
    lines, line, at = [], bytearray(), 0
    lengths = {0x40: 2, 0x21: 3, 0x45: 3, 0x61: 3, 0x64: 3, 0x26: 2}
    while at < len(data):
        byte = data[at]
        if byte in (0x1B, 0x1C, 0x1D):
            at += lengths[data[at + 1]]
        elif byte == 0x0A:
            lines.append(bytes(line))
            line = bytearray()
            at += 1
        else:
            line.append(byte)
            at += 1
    return lines


def has(data, text):
    return gb18030.encode(text) in data


def test_both_copies_carry_the_sale():
    for copy, name in (
        (receipts.MERCHANT, "商户存根 MERCHANT COPY"),
        (receipts.CARDHOLDER, "持卡人存根 CARDHOLDER COPY"),
    ):
        paper = receipts.receipt(sale(), facts(), copy, False)
        for text in (
            name, "测试商户有限公司", "898610154110001", "SP000001", "622588******1234 /I",
            "消费 SALE", "000001", "000007", "123456", "000000000007", "2026/11/23 20:05:33",
            "RMB 12.34", "2030/12", "TC:0123456789ABCDEF", "TVR:0000008000", "TSI:E800",
            "AID:A000000333010101", "ATC:0001", "UNIONPAY DEBIT", "01020000", "48021000",
            "本人确认以上交易,\n同意将其记入本卡账户", "测试固件,不得用于商业用途",
        ):  # fmt: skip
            assert has(paper, text), text
        assert not has(paper, PAN)
        assert not has(paper, "重打印")


def test_only_the_merchant_copy_is_signed():
    line = "持卡人签名 CARDHOLDER SIGNATURE"
    assert has(receipts.receipt(sale(), facts(), receipts.MERCHANT, False), line)
    assert not has(receipts.receipt(sale(), facts(), receipts.CARDHOLDER, False), line)


def test_a_small_tap_has_no_signature_line_and_says_why():
    paper = receipts.receipt(sale(TAP, no_cvm=1), facts(), receipts.MERCHANT, False)
    assert has(paper, "免密免签")
    assert has(paper, "622588******1234 /C")
    assert has(paper, "ARQC:0123456789ABCDEF")
    assert not has(paper, "持卡人签名")


def test_a_reprint_says_so():
    assert has(receipts.receipt(sale(), facts(), receipts.MERCHANT, True), "重打印 REPRINT")


def test_a_partial_approval_names_both_amounts():
    paper = receipts.receipt(sale(partial=1000), facts(), receipts.MERCHANT, False)
    assert has(paper, "RMB 10.00")
    assert has(paper, "RMB 12.34")


def test_amounts_are_grouped_and_fit_double_size():
    assert receipts.rmb(1234) == "RMB 12.34"
    assert receipts.rmb(5) == "RMB 0.05"
    assert receipts.rmb(123400) == "RMB 1,234.00"
    assert receipts.rmb(999_999_999) == "RMB 9,999,999.99"
    assert receipts.rmb(9_999_999_999) == "RMB 99999999.99"
    for fen in (1, 100_000, 999_999_999, 1 << 30, 9_999_999_999):
        assert escpos.width(receipts.rmb(fen)) * 2 <= escpos.COLUMNS


def test_no_line_is_wider_than_the_paper():
    name = "上海浦东新区陆家嘴环路金融贸易有限责任公司第一分店 Shanghai Pudong Branch No. 1"
    for copy in (receipts.MERCHANT, receipts.CARDHOLDER):
        for entry in (CHIP, TAP):
            txn = sale(entry, aid="A0000003330101019999888877776666", label="X" * 16)
            for line in printed(receipts.receipt(txn, facts(name), copy, True)):
                assert len(line) <= escpos.COLUMNS or line.startswith(b"AID:"), line
