"""pinmac's core: constant time, what outlives a reboot."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from psec import des as psec_des

from tests.oracle.pinmac_bench import AES, MAC_CMAC, REPO, TDES, ask, master
from tools.check.pinmac import declarations, plain_c

LIBRARY = REPO / "lib" / "pinmac"
CORE = sorted((LIBRARY / "core").glob("*.c"))
MASTER = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
PIN_FIELD = bytes.fromhex("6701EAD6A9AD51E51AA406E2C27FCFA9")
PIN_KCV = bytes.fromhex("8D0A74B8")
PAN = "6222021234567890123"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def test_stubs_say_what_the_module_says() -> None:
    subprocess.run([sys.executable, LIBRARY / "stubs.py", "--check"], check=True)


def test_sealed_keys_and_bindings_outlive_a_reboot(tmp_path: Path) -> None:
    """Two processes with one device secret; the second has only the blobs."""
    secret = str(tmp_path / "secret")
    load = ("load_working", 1, "P0", PIN_FIELD, 0, PIN_KCV)
    first = ask([[*master(0, MASTER, TDES), load, ("generate", 5, "M6", AES),
                  ("seal", 0), ("seal", 1), ("seal", 5), ("mac", 5, MAC_CMAC, b"record")]],
                SUANPAN_DEVICE_SECRET=secret)[0]
    tmk, pin, storage, mac = first[-4:]
    assert len((tmp_path / "secret").read_bytes()) == 32
    enter = [("pin_digit", digit) for digit in (1, 2, 3, 4, 5, 6)]
    second = ask([
        [("unseal", 0, tmk), ("unseal", 1, pin), ("unseal", 5, storage)],
        [("mac_verify", 5, MAC_CMAC, b"record", mac)],
        [("pin_begin",), *enter, ("pin_block", 1, 0, PAN)],
        [("load_working", 2, "D0", PIN_FIELD, 0, PIN_KCV)],
        [load],
    ], SUANPAN_DEVICE_SECRET=secret)
    assert [len(kcv) for kcv in second[0]] == [3, 3, 3]
    assert second[1] == [True]
    assert second[2][-1] == bytes.fromhex("BDFD42DCF960C8B6")
    assert second[3] == ["KeyUsageError"] and second[4] == [None]


def test_another_device_opens_nothing(tmp_path: Path) -> None:
    blob = ask([[("generate", 5, "M6", AES), ("seal", 5)]],
               SUANPAN_DEVICE_SECRET=str(tmp_path / "one"))[0][-1]
    answer = ask([[("generate", 6, "M6", AES), ("unseal", 5, blob)]],
                 SUANPAN_DEVICE_SECRET=str(tmp_path / "two"))
    assert answer[0][-1] == "IntegrityError"


def test_zeroize_outlives_a_reboot(tmp_path: Path) -> None:
    secret = str(tmp_path / "secret")
    blob = ask([[("generate", 5, "M6", AES), ("seal", 5), ("zeroize",)]],
               SUANPAN_DEVICE_SECRET=secret)[0][1]
    assert not (tmp_path / "secret.salt").exists()
    answers = ask([[("unseal", 5, blob)], [("generate", 6, "M6", AES), ("unseal", 5, blob)]],
                  SUANPAN_DEVICE_SECRET=secret)
    assert answers[0] == ["StateError"] and answers[1][-1] == "IntegrityError"


def test_a_secret_of_the_wrong_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(31))
    answer = ask([[("generate", 5, "M6", AES)]], SUANPAN_DEVICE_SECRET=str(tmp_path / "secret"))
    assert answer == [["StateError"]]


def signed_on(path: Path, fields: int) -> None:
    """A device that has loaded that many different PIN keys."""
    rng = random.Random(1)
    cases = [master(0, MASTER, TDES)]
    for _ in range(fields):
        key = rng.randbytes(16)
        kcv = psec_des.encrypt_tdes_ecb(key, bytes(8))[:4]
        field = psec_des.encrypt_tdes_ecb(MASTER, key)
        cases.append([("load_working", 1, "P0", field, 0, kcv)])
    answers = ask(cases, SUANPAN_DEVICE_SECRET=str(path))
    assert answers[1:] == [[None]] * fields


RELOAD = [*master(0, MASTER, TDES), ("load_working", 1, "P0", PIN_FIELD, 0, PIN_KCV)]


def test_an_altered_binding_log_is_refused(tmp_path: Path) -> None:
    signed_on(tmp_path / "secret", 5)
    log = tmp_path / "secret.bindings"
    assert log.stat().st_size == 5 * 2 * 16
    changed = bytearray(log.read_bytes())
    changed[9] ^= 1
    log.write_bytes(changed)
    answer = ask([RELOAD], SUANPAN_DEVICE_SECRET=str(tmp_path / "secret"))
    assert answer[0][-1] == "IntegrityError"


@pytest.mark.parametrize("records", [0, 1, 4, 9])
def test_a_shortened_binding_log_is_refused(tmp_path: Path, records: int) -> None:
    """Cutting the newest records off would let a cryptogram serve a second usage."""
    signed_on(tmp_path / "secret", 5)
    log = tmp_path / "secret.bindings"
    log.write_bytes(log.read_bytes()[:16 * records])
    answer = ask([RELOAD], SUANPAN_DEVICE_SECRET=str(tmp_path / "secret"))
    assert answer[0][-1] == "IntegrityError"


@pytest.mark.parametrize("kept", [1, 8, 15])
def test_a_torn_binding_record_is_passed_over(tmp_path: Path, kept: int) -> None:
    """Power cut in the last record: short in the file, or filled with what flash held before."""
    for number, tail in enumerate((b"", bytes([0xA5] * (16 - kept)))):
        secret = tmp_path / f"secret{number}"
        signed_on(secret, 3)
        log = Path(f"{secret}.bindings")
        log.write_bytes(log.read_bytes()[:5 * 16 + kept] + tail)
        # The counter of records follows the record: it had not been raised yet.
        counters = Path(f"{secret}.counters")
        counters.write_bytes((5).to_bytes(4, sys.byteorder) + counters.read_bytes()[4:])
        answers = ask([RELOAD, RELOAD], SUANPAN_DEVICE_SECRET=str(secret))
        assert answers[0][-1] is None and answers[1][-1] is None


def test_pin_limits() -> None:
    """Two at once and then no more; the refused entry is wiped."""
    enter = [("pin_begin",), *[("pin_digit", 1)] * 4]
    block = ("pin_block", 1, 0, PAN)
    answers = ask([RELOAD, [*enter, block], [*enter, block], [*enter, block, ("pin_len",)]],
                  SUANPAN_PIN_POLICY="120,2,0")
    assert len(answers[1][-1]) == len(answers[2][-1]) == 8
    assert answers[3][-2:] == ["PinLimitError", "StateError"]


def test_pin_deadline() -> None:
    """An entry of more than 1 ms is refused at the next call, and gone."""
    work = [("self_test",)] * 50
    answer = ask([[("pin_begin",), *work, ("pin_digit", 1), ("pin_len",)]],
                 SUANPAN_PIN_POLICY="0,0,1")
    assert answer[0][-2:] == ["PinExpiredError", "StateError"]
    assert ask([[("pin_begin",), *work, ("pin_digit", 1)]])[0][-1] == 1


# No secret comes near them: one forgets, one says how the last self-test ended.
WITHOUT_SECRETS = {"pinmac_mac_forget", "pinmac_self_tested"}


def test_the_harness_makes_every_call_that_touches_a_secret() -> None:
    """A call that is added to core/pinmac.h cannot be forgotten in the constant-time proof."""
    harness = plain_c(Path(__file__).with_name("pinmac_secrets.c").read_text("utf-8"))
    assert {name for name in declarations() if f"{name}(" not in harness} == WITHOUT_SECRETS


def test_constant_time_under_memcheck(tmp_path: Path) -> None:
    """No branch and no address depends on a key, a PIN or the device's secret."""
    harness = Path(__file__).with_name("pinmac_secrets.c")
    for optimisation in ("-O0", "-O2", "-Os"):
        program = tmp_path / f"secrets{optimisation}"
        subprocess.run(["gcc", "-std=c99", optimisation, "-g", "-Wall", "-Werror",
                        "-DPINMAC_MEMCHECK", f"-I{LIBRARY}", "-o", program, harness, *CORE],
                       check=True)
        command = ["valgrind", "--error-exitcode=9", "--leak-check=no", "-q", program]
        honest = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert honest.returncode == 0, honest.stderr
        # The proof can fail: a branch on a secret byte is found.
        caught = subprocess.run([*command, "leak"], capture_output=True, text=True, timeout=60,
                                check=False)
        assert caught.returncode == 9, caught.stderr
