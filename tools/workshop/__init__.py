"""The workshop: flash devices, keep their record, report what was made.

`programmer` speaks to one device through the real esptool, in a process of its own; `station` runs
many of them and keeps `records`; the commands draw. `chip`, `wire` and `bench` are the model that
all of it is tested against: a pty that answers like an ESP32-S3's ROM loader, and can fail.
"""
