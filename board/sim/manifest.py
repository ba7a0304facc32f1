# What is frozen into the sim board's interpreter: asyncio, the virtual modules, the reference
# board's file and the terminal. Optimisation 0 keeps line numbers and asserts.
# ruff: noqa: F821 - a manifest's functions are given to it
import os

REPO = os.path.abspath("../..")
NOT_FROZEN = ("pinmac",)  # lib/pinmac is C; its Python is the workstation's


def modules(folder):
    """Freeze the modules that stand directly in a folder, in order of name."""
    path = os.path.join(REPO, folder)
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        if name.endswith(".py"):
            module(name, base_path=path, opt=0)


def packages(folder):
    """Freeze the packages of a folder, with all below them."""
    path = os.path.join(REPO, folder)
    for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
        ours = os.path.isdir(os.path.join(path, name)) and name not in NOT_FROZEN
        if ours and name[0] not in "_.":
            package(name, base_path=path, opt=0)


package(
    "asyncio",
    ("__init__.py", "core.py", "event.py", "funcs.py", "lock.py", "stream.py"),
    base_path="$(MPY_DIR)/extmod",
    opt=0,
)
modules("board/sim/modules")
packages("board/sim/modules")
module("board.py", base_path=os.path.join(REPO, "board/esp32s3"), opt=0)
for name in ("boot.py", "main.py"):
    module(name, base_path=REPO, opt=0)
modules("lib")
packages("lib")
modules("build/gen")
package("firmware", base_path=REPO, opt=0)
