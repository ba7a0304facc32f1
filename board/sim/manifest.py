# What is frozen into the sim board's interpreter: the reference board's image without
# optimisation, and the virtual modules beneath it.
# ruff: noqa: F821 - a manifest's functions are given to it
import os

include("../terminal.py", opt=0, board="esp32s3")
for name in sorted(os.listdir("modules")):
    if name.endswith(".py"):
        module(name, base_path="modules", opt=0)
package("virtual", base_path="modules", opt=0)
