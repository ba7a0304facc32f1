"""`pos efuse-plan` with the real espefuse and espsecure, on files."""

import json
from pathlib import Path

import pytest
from bench_hands import pos

from tools.workshop.efuse_plan import (
    RULES,
    STEPS,
    OrderRefused,
    Rehearsal,
    RehearsalFailed,
    check_order,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("efuses")


@pytest.fixture(scope="module")
def rehearsal(folder: Path) -> Rehearsal:
    """All steps in the right order."""
    made = Rehearsal(folder)
    for name in STEPS:
        assert made.run(name).changes, name
    return made


def test_the_right_order_ends_in_a_locked_chip(rehearsal: Rehearsal) -> None:
    efuses = rehearsal.summary()
    for name in ("SECURE_BOOT_EN", "ENABLE_SECURITY_DOWNLOAD", "DIS_USB_JTAG", "DIS_PAD_JTAG"):
        assert efuses[name]["value"] is True, name
    purposes = {f"KEY_PURPOSE_{n}": efuses[f"KEY_PURPOSE_{n}"]["value"] for n in (0, 1, 4)}
    assert list(purposes.values()) == ["SECURE_BOOT_DIGEST0", "XTS_AES_128_KEY", "HMAC_UP"]
    assert [efuses[f"BLOCK_KEY{n}"]["readable"] for n in (0, 1, 4)] == [True, False, False]
    assert not efuses["RD_DIS"]["writeable"]


def test_what_is_burnt_stays_burnt(rehearsal: Rehearsal) -> None:
    before = rehearsal.efuses.read_bytes()
    for _ in range(2):  # the second time from the file alone
        with pytest.raises(RehearsalFailed, match="espefuse"):
            rehearsal.run("hmac")  # the block holds a key
    assert rehearsal.efuses.read_bytes() == before


def test_espefuse_itself_refuses_a_secret_key_after_the_lock(tmp_path: Path) -> None:
    late = Rehearsal(tmp_path)
    late.run("lock-reads")
    with pytest.raises(RehearsalFailed, match="read-disabled"):
        late.run("flash-key")


def test_a_signature_over_another_image_does_not_verify(
    rehearsal: Rehearsal, folder: Path
) -> None:
    signed = bytearray((folder / "signed.bin").read_bytes())
    signed[100] ^= 1
    (folder / "altered.bin").write_bytes(signed)
    with pytest.raises(RehearsalFailed, match="espsecure"):
        rehearsal.verify(folder / "altered.bin")


def test_each_rule_refuses_and_says_why() -> None:
    check_order(list(STEPS))
    for earlier, later, why in RULES:
        without = [name for name in STEPS if name != earlier]
        too_late = [*without]
        too_late.insert(without.index(later) + 1, earlier)
        for order in (without, too_late):
            with pytest.raises(OrderRefused) as refused:
                check_order(order)
            assert refused.value.reason["zh"] and refused.value.reason["en"]
        assert why["zh"] != why["en"]
    with pytest.raises(ValueError, match="twice"):
        check_order(["sign", "hmac", "sign"])


def test_a_wrong_order_burns_not_even_the_file() -> None:
    done = pos("efuse-plan", "--json", "--order", "sign,secure-boot")
    told = json.loads(done.stdout)
    assert (done.returncode, told["result"], told["burnt"]) == (1, "refused", False)
    assert told["step"] == "secure-boot" and "boot" in told["why"]["en"]
    assert pos("efuse-plan", "--order", "melt").returncode == 2


def test_it_says_plainly_that_nothing_was_burnt() -> None:
    done = pos("efuse-plan", "--order", "sign,hmac", "--language", "en")
    assert done.returncode == 0 and "Nothing was burnt" in done.stdout
    assert "HMAC_UP" in done.stdout
