"""Card data at rest: encrypted under one storage key, the journal MAC'd under another; and masks.

Also the one list of key slots, since every floor above shares it.
"""

# pinmac slots.
MASTER = const(0)  # TMK, K0 TDES, from the workshop's components
PIN = const(1)  # P0, of sign-on
MAC = const(2)  # M0, of sign-on
TRACK = const(3)  # D0, of sign-on
STORE = const(4)  # D0 AES, made on the device
STORE_MAC = const(5)  # M6 AES, made on the device


def masked(pan: str) -> str:
    """First six and last four: '622588******1234'."""
    return pan[:6] + "*" * (len(pan) - 10) + pan[-4:]
