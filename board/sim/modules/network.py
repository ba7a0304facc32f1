"""The virtual board's `network`: one Wi-Fi station."""

import struct

from virtual import wire

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200

_state = [STAT_IDLE, 0, "0.0.0.0"]
_hostname = ["mpy-esp32s3"]
_country = ["XX"]


def _event(payload):
    _state[0], _state[1] = struct.unpack("<Hb", payload)
    _state[2] = payload[3:].decode()


wire.on_event(wire.WIFI, _event)


def hostname(*_name):
    """The name announced to the network, or set it."""
    if not _name:
        return _hostname[0]
    _hostname[0] = _name[0]
    return None


def country(*_code):
    """The regulatory domain's two letters, or set them."""
    if not _code:
        return _country[0]
    _country[0] = _code[0]
    return None


class WLAN:
    """The Wi-Fi interface; only the station is there."""

    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2
    SEC_OPEN = 0
    SEC_WPA2 = 3
    SEC_WPA2_WPA3 = 7
    _active = False
    _pm = PM_PERFORMANCE

    def __init__(self, _interface_id=IF_STA):
        if _interface_id != WLAN.IF_STA:
            raise ValueError("the terminal is a station, never an access point")

    def active(self, *_is_active):
        """Whether the radio is on, or switch it."""
        if not _is_active:
            return WLAN._active
        WLAN._active = bool(_is_active[0])
        wire.post(wire.WIFI, b"a" + bytes((WLAN._active,)))
        return WLAN._active

    def connect(self, _ssid=None, _key=None, *, bssid=None):
        """Start to join a network. OSError when the radio is off or linked already."""
        if not WLAN._active:
            raise OSError("Wifi Not Started")
        if _state[0] in (STAT_CONNECTING, STAT_GOT_IP):
            raise OSError("Wifi Internal State Error")
        if bssid is not None:
            raise ValueError("choosing an access point by its address is not used here")
        _state[0] = STAT_CONNECTING
        wire.post(wire.WIFI, b"c" + _ssid.encode() + b"\x00" + (_key or "").encode())

    def disconnect(self):
        """Leave the network."""
        _state[0] = STAT_IDLE
        wire.post(wire.WIFI, b"d")

    def isconnected(self):
        """There is a link and an address."""
        return _state[0] == STAT_GOT_IP

    def status(self, *_param):
        """STAT_*; with 'rssi', the signal in dBm."""
        if not _param:
            return _state[0]
        if _param[0] != "rssi":
            raise ValueError("unknown status param")
        return _state[1]

    def ifconfig(self, *_config):
        """(address, mask, gateway, DNS server)."""
        if _config:
            raise ValueError("the simulator's network hands out addresses by DHCP only")
        return (_state[2], "255.255.255.0", "192.168.4.1", "192.168.4.1")

    def config(self, *_param, **_settings):
        """One parameter by name ('mac', 'ssid', 'pm'), or set 'pm'."""
        if _param:
            if _param[0] == "mac":
                return wire.call(wire.SYSTEM, b"h")[9:15]
            if _param[0] == "pm":
                return WLAN._pm
            if _param[0] in ("ssid", "essid"):
                return wire.call(wire.WIFI, b"s").decode()
            raise ValueError("unknown config param")
        for name, value in _settings.items():
            if name == "pm":
                WLAN._pm = value
            elif name not in ("reconnects", "txpower", "channel"):
                raise ValueError("unknown config param")
        return None
