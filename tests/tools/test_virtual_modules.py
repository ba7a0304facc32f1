"""The virtual modules have nothing that the ESP32 port lacks, and take no other arguments.

Names and signatures are compared with the installed micropython-esp32-stubs, read as text. The
stubs describe all ports at once in places; where they lack something that the ESP32 port's own
source has, it is named in EXTRA with the file that shows it.
"""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from tools.sim import link

MODULES = Path(__file__).resolve().parents[2] / "board" / "sim" / "modules"
STUBS = Path(sysconfig.get_paths()["purelib"])

# What ports/esp32 (v1.25.0) has and the stubs do not say.
EXTRA = {
    "machine.Pin.__init__": {"hold"},  # machine_pin.c, machine_pin_obj_init_helper
    "machine.Pin.init": {"hold"},
    "machine.Pin.__repr__": None,
    "machine.PWM.__init__": {"duty", "invert"},  # machine_pwm.c, mp_machine_pwm_init_helper
    "machine.PWM.init": {"duty", "invert"},
    "machine.UART.__init__": {"rts", "cts", "flow"},  # machine_uart.c, mp_machine_uart_init_helper
    "machine.UART.init": {"rts", "cts", "flow"},
    "machine.UART.ioctl": None,  # the stream protocol, which C keeps in a slot of the type
    "machine.I2C.__init__": {"timeout"},  # machine_i2c.c, machine_hw_i2c_make_new
    "machine.WDT.timeout_ms": None,  # extmod/machine_wdt.c
    "socket.socket.ioctl": None,
    "esp32.Partition.find": {"block_size"},  # esp32_partition.c, esp32_partition_find
}
FACES = ("machine", "network", "esp32", "socket", "time", "select")


class Signature:
    """The arguments of one function, all its overloads together."""

    def __init__(self) -> None:
        self.by_position = 0
        self.by_name: list[str] = []
        self.any_position = False
        self.any_name = False

    def add(self, node: ast.FunctionDef, method: bool) -> None:
        """Take one definition; a leading underscore marks position only in MicroPython code."""
        arguments = [a.arg for a in node.args.posonlyargs + node.args.args]
        only = len(node.args.posonlyargs)
        if method:
            arguments, only = arguments[1:], max(0, only - 1)
        named = [a for i, a in enumerate(arguments) if i >= only and not a.startswith("_")]
        named += [a.arg for a in node.args.kwonlyargs]
        self.by_position = max(self.by_position, len(arguments))
        self.by_name += [name for name in named if name not in self.by_name]
        self.any_position |= node.args.vararg is not None
        self.any_name |= node.args.kwarg is not None


def read(tree: ast.Module) -> tuple[dict[str, Signature], list[str]]:
    """Functions by dotted name, and the names of constants and classes."""
    functions: dict[str, Signature] = {}
    names: list[str] = []

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                static = any(isinstance(d, ast.Name) and d.id == "staticmethod"
                             for d in node.decorator_list)
                signature = functions.setdefault(prefix + node.name, Signature())
                signature.add(node, bool(prefix) and not static)
            elif isinstance(node, ast.ClassDef):
                names.append(prefix + node.name)
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.append(prefix + node.target.id)
            elif isinstance(node, ast.Assign):
                names.extend(prefix + t.id for t in node.targets if isinstance(t, ast.Name))
            elif isinstance(node, ast.If):
                visit(node.body + node.orelse, prefix)

    visit(tree.body, "")
    return functions, names


def stub(module: str) -> tuple[dict[str, Signature], list[str]]:
    """What the ESP32 stubs say of a module."""
    return read(ast.parse((STUBS / f"{module}.pyi").read_text(encoding="utf-8")))


def face(module: str) -> tuple[dict[str, Signature], list[str]]:
    """What our module offers, with what it takes from the folder `virtual`."""
    functions: dict[str, Signature] = {}
    names: list[str] = []
    tree = ast.parse((MODULES / f"{module}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("virtual."):
            path = MODULES / ((node.module or "").replace(".", "/") + ".py")
            theirs, their_names = read(ast.parse(path.read_text(encoding="utf-8")))
            wanted = tuple(alias.name for alias in node.names)
            functions.update({n: s for n, s in theirs.items() if n.split(".")[0] in wanted})
            names += [n for n in their_names if n.split(".")[0] in wanted]
    own, own_names = read(tree)
    functions.update(own)
    return functions, names + own_names


def hidden(name: str) -> bool:
    """A private name; `__init__` and the like are not."""
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


@pytest.mark.parametrize("module", FACES)
def test_every_name_is_one_of_the_esp32_port(module: str) -> None:
    functions, names = face(module)
    known = [*stub(module)[0], *stub(module)[1]]
    assert functions
    for name in [*functions, *names]:
        extra = EXTRA.get(f"{module}.{name}", ()) is None or name.endswith("__init__")
        assert hidden(name) or extra or name in known, f"the ESP32 has no {module}.{name}"


@pytest.mark.parametrize("module", FACES)
def test_every_argument_is_one_of_the_esp32_port(module: str) -> None:
    ours, theirs = face(module)[0], stub(module)[0]
    compared = 0
    for name, signature in ours.items():
        if hidden(name) or name not in theirs:
            continue
        allowed, extra = theirs[name], EXTRA.get(f"{module}.{name}", set()) or set()
        wrong = [a for a in signature.by_name if a not in [*allowed.by_name, *extra]]
        if not allowed.any_name:
            assert not wrong, f"{module}.{name} takes {wrong} by name; the ESP32 does not"
        if not allowed.any_position:
            most = allowed.by_position + len(extra)
            assert signature.by_position <= most, f"{module}.{name} takes too many arguments"
        compared += 1
    assert compared


def test_both_ends_of_the_link_number_frames_and_channels_alike() -> None:
    tree = ast.parse((MODULES / "virtual" / "wire.py").read_text(encoding="utf-8"))
    numbers: dict[str, int] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        value = node.value
        if isinstance(value, ast.Call) and isinstance(value.args[0], ast.Constant):
            numbers[node.targets[0].id] = value.args[0].value
    for kind in link.Kind:
        assert numbers[f"_{kind.name}"] == kind
    for channel in link.Channel:
        assert numbers[channel.name] == channel
    assert numbers["_HEAD_SIZE"] == link.HEAD.size
