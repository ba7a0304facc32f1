"""Provisioning step by step, keys back at boot, parameters, and what damage to each says."""

import io
import json
import os
from binascii import hexlify, unhexlify

import pinmac
import vfs
from emv.errors import CaKeyError

from firmware.care.operators import Operators
from firmware.estate import keystore, provision
from firmware.estate.errors import NotProvisioned, ParametersCorrupt
from firmware.estate.parameters import Parameters, checked
from firmware.ledger import sealed
from firmware.ledger.ledger import Ledger
from firmware.ledger.vault import MAC, MASTER, PIN, Vault
from firmware.link import keys
from tests.unit.flashbed import Clock, Flash

FOLDERS = ("/journal", "/keys", "/data")
# PROTOCOL.md's master key as two components, and its F62.
COMPONENTS = ("5E9BF1D0237A46B90DC28864EA7F1335", "94c66389aeb00e77878EFE52F0ED7ADC")
FIELD_62 = unhexlify(
    "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8B651F9E9BACE9AE10000000000000000AB7153CA"
)
VALUES = {
    "serial": "SPT0000000001", "terminal": "SP000001", "merchant": "898610154110001",
    "name": "测试商户有限公司", "tpdu": "6000030000", "hosts": [["acquirer.suanpan.test", 8583]],
}  # fmt: skip
OPERATORS = [{"number": "01", "password": "0001", "change": False}]


# Made up: a key that signs nothing, with a check sum that fits, and one whose does not.
CARD_KEY = {"rid": "A000000333", "index": "F1", "modulus": "C1" * 128, "exponent": "03",
            "expiry": "301231", "sha1": "474B888EBB56AC796BAEB15C8F755D0B832AA70C"}  # fmt: skip
SPOILED_KEY = dict(CARD_KEY)
SPOILED_KEY["sha1"] = "00" * 20


def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        assert str(error)
        return error
    raise AssertionError("no " + kind.__name__)


def bed():
    """Three fresh chips."""
    for folder in FOLDERS:
        try:
            vfs.umount(folder)
        except OSError:
            pass
        flash = Flash(16)
        flash.format()
        flash.mount(folder)


def component(digits):
    return json.dumps({"step": "component", "length": 16}).encode() + b"\n" + digits.encode()


def lines(**changes):
    """The whole injection; a change replaces a step's line, or drops it (None)."""
    steps = {
        "begin": {"step": "begin"},
        "first": component(COMPONENTS[0]),
        "second": component(COMPONENTS[1]),
        "parameters": {"step": "parameters", "values": VALUES},
        "ca": {"step": "ca", "der": "308201"},
        "card-key": {"step": "card-key", "key": CARD_KEY},
        "operators": {"step": "operators", "values": OPERATORS},
        "journal": {"step": "journal", "batch": 5, "trace": 40},
        "finish": {"step": "finish"},
    }
    steps.update(changes)
    order = (
        "begin", "first", "second", "parameters", "ca", "card-key", "operators", "journal",
        "finish",
    )  # fmt: skip
    out = []
    for name in order:
        step = steps[name]
        if step is not None:
            out.append(step if isinstance(step, bytes) else json.dumps(step).encode())
    return out


def inject(injection):
    """Run it; (finished, answers)."""
    sink = io.BytesIO()
    done = provision.run(io.BytesIO(b"\n".join(injection) + b"\n"), sink, Clock())
    return done, [json.loads(line) for line in sink.getvalue().split(b"\n") if line]


def forget_keys():
    """What a power cut does to pinmac."""
    for slot in range(32):
        pinmac.erase(slot)


def provisioned():
    bed()
    done, answers = inject(lines())
    assert done, answers
    return answers


def test_a_device_is_provisioned_and_comes_up_again():
    answers = provisioned()
    assert all(answer["ok"] for answer in answers)
    assert "kcv" not in answers[1]
    kcv = answers[2]["kcv"]
    assert len(kcv) == 6 and answers[-1]["kcv"]["0"] == kcv
    assert sorted(answers[-1]["kcv"]) == ["0", "4", "5"]
    forget_keys()
    assert keystore.unseal_all() == []
    assert hexlify(pinmac.kcv(MASTER)).decode().upper() == kcv
    shop = Parameters.load(Vault())
    assert (shop.terminal, shop.name, shop.reply_ms) == ("SP000001", VALUES["name"], 60_000)
    assert shop.hosts == VALUES["hosts"] and shop.ca() == b"\x30\x82\x01"
    ledger = Ledger("/journal", Vault(), Clock())
    assert ledger.batch == 5 and ledger.take_trace() == 41
    operators = Operators("/data", Vault().mac, pinmac.random)
    operators.load()
    assert operators.check("01", bytearray(b"0001")) is False
    keys.install(FIELD_62, "/keys")  # the master key is the protocol's


def test_no_component_lies_in_flash():
    provisioned()
    for folder in FOLDERS:
        for name in os.listdir(folder):
            with open(folder + "/" + name, "rb") as file:
                content = file.read()
            for secret in COMPONENTS:
                assert content.find(unhexlify(secret)) < 0
                assert content.upper().find(secret.upper().encode()) < 0


def test_steps_that_are_no_use_are_named_and_the_bench_goes_on():
    cases = (
        ({"first": component("5E9B")}, 1, "ProvisionError"),
        ({"first": component(COMPONENTS[0][:-1] + "x")}, 1, "ProvisionError"),
        ({"first": component(COMPONENTS[0] + "00")}, 1, "ProvisionError"),
        ({"first": {"step": "component", "length": 8}}, 1, "ProvisionError"),
        ({"second": component(COMPONENTS[0])}, 2, "IntegrityError"),
        ({"parameters": {"step": "parameters", "values": {}}}, 3, "ParametersCorrupt"),
        ({"ca": {"step": "ca", "der": "30820"}}, 4, "ValueError"),
        ({"ca": {"step": "ca"}}, 4, "KeyError"),
        ({"card-key": {"step": "card-key", "key": SPOILED_KEY}}, 5, "CaKeyError"),
        ({"card-key": {"step": "card-key"}}, 5, "KeyError"),
        ({"journal": {"step": "pour tea"}}, 7, "ProvisionError"),
        ({"journal": b"{not json"}, 7, "ValueError"),
        ({"journal": b"[1]"}, 7, "ProvisionError"),
    )
    for changes, place, error in cases:
        bed()
        done, answers = inject(lines(**changes))
        assert not answers[place]["ok"] and answers[place]["error"] == error, answers
        assert answers[place]["message"]
        if error in ("CaKeyError", "KeyError") and place == 5:
            assert done and not Parameters.load(Vault()).card_keys(), "it does without such a key"
            continue
        assert not done and len(answers) == 9
        forget_keys()
        raises(NotProvisioned, keystore.unseal_all)


def test_nothing_finishes_with_a_step_missing():
    for name in ("first", "second", "parameters", "ca", "operators", "journal"):
        bed()
        done, answers = inject(lines(**{name: None}))
        assert not done and not answers[-1]["ok"], name


def test_beginning_again_leaves_nothing_of_the_device_before():
    provisioned()
    with open("/keys/device.key", "rb") as file:
        old = file.read()
    done, _ = inject(lines())
    assert done
    with open("/keys/device.key", "wb") as file:
        file.write(old)
    forget_keys()
    raises(sealed.KeyFileCorrupt, keystore.unseal_all)


def test_working_keys_come_back_or_are_thrown_away():
    provisioned()
    keys.install(FIELD_62, "/keys")
    forget_keys()
    assert keystore.unseal_all() == [] and keys.loaded()
    with open("/keys/working.key", "rb") as file:
        whole = file.read()
    for damaged in (whole[:-1], whole[:50] + b"?" + whole[51:], whole[:150] + b"?" + whole[151:]):
        with open("/keys/working.key", "wb") as file:
            file.write(damaged)
        forget_keys()
        notices = keystore.unseal_all()
        assert len(notices) == 1 and "sign on again" in notices[0]
        assert pinmac.info(PIN) is None and pinmac.info(MAC) is None
        assert "working.key" not in os.listdir("/keys")
        assert pinmac.info(MASTER) is not None


def test_a_damaged_device_key_stops_the_terminal():
    provisioned()
    with open("/keys/device.key", "rb") as file:
        whole = file.read()
    for place in range(0, len(whole), 7):
        with open("/keys/device.key", "wb") as file:
            file.write(whole[:place] + bytes((whole[place] ^ 2,)) + whole[place + 1 :])
        forget_keys()
        error = raises(sealed.KeyFileCorrupt, keystore.unseal_all)
        assert "key file" in str(error)


def test_parameters_are_checked():
    for name in ("serial", "terminal", "merchant", "name", "tpdu", "hosts"):
        raises(ParametersCorrupt, checked, {k: v for k, v in VALUES.items() if k != name})
    for name, value in (
        ("terminal", "SP00001"), ("merchant", 5), ("tpdu", "60000300xx"), ("hosts", []),
        ("hosts", [["x", 70_000]]), ("hosts", [["", 1]]), ("language", "fr"), ("reply_ms", 0),
        ("reply_ms", "60000"), ("connect_tries", True), ("colour", "red"),
    ):  # fmt: skip
        changed = dict(VALUES)
        changed[name] = value
        assert name in str(raises(ParametersCorrupt, checked, changed))
    assert checked(VALUES)["connect_ms"] == 10_000


def test_card_keys_are_kept_replaced_and_their_damage_is_named():
    provisioned()
    shop = Parameters.load(Vault())
    assert [key.name for key in shop.card_keys()] == ["A000000333 F1"]
    longer = dict(CARD_KEY)
    longer["expiry"] = "311231"  # no part of the check sum
    shop.add_card_key(longer)
    assert [key.expiry for key in shop.card_keys()] == ["311231"]
    error = raises(CaKeyError, shop.add_card_key, SPOILED_KEY)
    assert str(error) == "the check sum of the CA key A000000333 F1 is wrong"
    assert [key.expiry for key in shop.card_keys()] == ["311231"]
    with open("/data/card-keys.json", "rb") as file:
        whole = bytearray(file.read())
    whole[-1] ^= 1
    with open("/data/card-keys.json", "wb") as file:
        file.write(whole)
    assert "card keys" in str(raises(ParametersCorrupt, shop.card_keys))


def test_parameters_survive_and_damage_is_named():
    provisioned()
    shop = Parameters.load(Vault())
    shop.language = "en"
    shop.save()
    assert Parameters.load(Vault()).language == "en"
    shop.language = "fr"
    raises(ParametersCorrupt, shop.save)
    assert Parameters.load(Vault()).language == "en"
    for name, load in (("parameters.json", lambda: Parameters.load(Vault())), ("ca.der", shop.ca)):
        path = "/data/" + name
        with open(path, "rb") as file:
            whole = bytearray(file.read())
        whole[-1] ^= 1
        with open(path, "wb") as file:
            file.write(whole)
        raises(ParametersCorrupt, load)
        os.remove(path)
        raises(ParametersCorrupt, load)
