# What is frozen into the bare board's image: asyncio, the libraries, the terminal's code, the
# workshop's bench, and the devices that tests script. Without optimisation. There is no boot.py
# and no main.py: it waits at its REPL.
# ruff: noqa: F821 - a manifest's functions are given to it
import os

REPO = os.path.abspath("../..")
include("../libraries.py", opt=0)
module("board.py", base_path=os.path.abspath("."), opt=0)
module("bench.py", base_path=os.path.abspath(".."), opt=0)
package("firmware", base_path=REPO, opt=0)
package("tests", ("unit/flashbed.py",), base_path=REPO, opt=0)
module("desk.py", base_path=os.path.join(REPO, "tests", "unit"), opt=0)
