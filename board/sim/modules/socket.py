"""The virtual board's `socket`: TCP clients over the board's network.

Without a virtual board (a plain start of the interpreter) it is the unix port's own.
"""
# ruff: noqa: F401, F403 - this module is a face

import simclock

if simclock.link() < 0:
    from usocket import *
else:
    from virtual.tcp import getaddrinfo, socket

    AF_INET = 2
    AF_INET6 = 10
    SOCK_STREAM = 1
    SOCK_DGRAM = 2
    SOCK_RAW = 3
    IPPROTO_IP = 0
    IPPROTO_TCP = 6
    IPPROTO_UDP = 17
    SOL_SOCKET = 4095
    SO_REUSEADDR = 4
    SO_BROADCAST = 32
    TCP_NODELAY = 1
