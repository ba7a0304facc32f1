"""What this firmware is. The build date is a floor under the clock (PROTOCOL.md, "Numbers and
time")."""

VERSION = "0.1.0"
# 2026-11-01 00:00:00 in the shop's time (UTC+8), in seconds since 2000-01-01 as devices.Clock
# counts.
BUILD_TIME = 846_806_400
