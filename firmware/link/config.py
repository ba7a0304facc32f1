"""What the link asks of the terminal's parameters (estate.Parameters gives it).

For readers and the type checker only: nothing here runs on the device.
"""

from typing import Protocol


class Config(Protocol):
    """Identity, hosts, Wi-Fi and limits; times are milliseconds."""

    terminal: str  # F41
    merchant: str  # F42
    tpdu: str  # 10 digits
    header: str  # 12 digits
    hosts: "list[tuple[str, int]]"  # name, port: the primary first
    ssid: str
    password: str
    connect_ms: int
    connect_tries: int
    reply_ms: int
    reversal_tries: int
    keys_folder: str

    def ca(self) -> bytes:
        """The acquirer's CA certificate, DER."""
        ...
