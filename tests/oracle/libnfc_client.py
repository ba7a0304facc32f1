"""Runs libnfc 1.8 through ctypes on the device that LIBNFC_DEVICE names.

    libnfc_client.py WORD...

Selects one ISO 14443-4A card and prints `empty` when there is none; then, for each word, the
answer: `present` asks whether the card is there (yes, no), anything else is an APDU in hex
(hex, or error).
"""

import ctypes
import sys

NMT_ISO14443A, NBR_106 = 1, 1
RESPONSE = 600
TARGET = 512  # nfc_target is under 300 bytes


class Modulation(ctypes.Structure):
    """nfc_modulation (nfc-types.h)."""

    _fields_ = [("nmt", ctypes.c_int), ("nbr", ctypes.c_int)]


def main(words: list[str]) -> int:
    """Open, select, obey, close; 0 when libnfc could open the device."""
    nfc = ctypes.CDLL("libnfc.so.6")
    nfc.nfc_open.restype = ctypes.c_void_p
    nfc.nfc_open.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    context = ctypes.c_void_p()
    nfc.nfc_init(ctypes.byref(context))
    device = ctypes.c_void_p(nfc.nfc_open(context, None))
    if not device:
        print("libnfc could not open the device", file=sys.stderr)
        return 1
    nfc.nfc_initiator_init(device)
    nfc.nfc_device_set_property_bool(device, 7, False)  # NP_INFINITE_SELECT
    target = ctypes.create_string_buffer(TARGET)
    nfc.nfc_initiator_select_passive_target.argtypes = [
        ctypes.c_void_p,
        Modulation,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_void_p,
    ]
    found = nfc.nfc_initiator_select_passive_target(
        device, Modulation(NMT_ISO14443A, NBR_106), None, 0, target
    )
    if found <= 0:
        print("empty")
    for word in words if found > 0 else []:
        print(obey(nfc, device, target, word), flush=True)
    nfc.nfc_close(device)
    nfc.nfc_exit(context)
    return 0


def obey(nfc: ctypes.CDLL, device: ctypes.c_void_p, target: object, word: str) -> str:
    """One presence check or APDU; what to print."""
    if word == "present":
        return "yes" if nfc.nfc_initiator_target_is_present(device, target) == 0 else "no"
    command = bytes.fromhex(word)
    response = ctypes.create_string_buffer(RESPONSE)
    length = nfc.nfc_initiator_transceive_bytes(
        device, command, ctypes.c_size_t(len(command)), response, ctypes.c_size_t(RESPONSE), 5000
    )
    return response.raw[:length].hex() if length >= 0 else "error"


sys.exit(main(sys.argv[1:]))
