# What every board freezes, the bare one too: asyncio, the libraries, their fonts and tables.
# A manifest, included with opt= (0 keeps line numbers and asserts).
# ruff: noqa: F821 - a manifest's functions are given to it
import os

options.defaults(opt=2)

REPO = os.path.abspath("..")
NOT_FROZEN = ("pinmac",)  # lib/pinmac is C; its Python is the workstation's


def names(folder):
    """What stands in a folder, in order; nothing when there is no such folder yet."""
    path = os.path.join(REPO, folder)
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def freeze_folder(folder):
    """The modules that stand directly in a folder, and its packages with all below them."""
    path = os.path.join(REPO, folder)
    for name in names(folder):
        if name.endswith(".py"):
            module(name, base_path=path, opt=options.opt)
        elif os.path.isdir(os.path.join(path, name)) and name[0] not in "_.":
            if name not in NOT_FROZEN:
                package(name, base_path=path, opt=options.opt)


package(
    "asyncio",
    ("__init__.py", "core.py", "event.py", "funcs.py", "lock.py", "stream.py"),
    base_path="$(MPY_DIR)/extmod",
    opt=options.opt,
)
for folder in ("lib", "build/gen"):
    freeze_folder(folder)
