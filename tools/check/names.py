"""Check that what the boards use of machine, network and esp32 is in the ESP32 port.

By name, against the port's type stubs: modules' members, and members of their classes where the
class is named (`machine.Pin.IN`, `WLAN.IF_STA`); mypy follows the objects themselves. The stubs
are those of the port as a whole; what a chip lacks stands in the board's module.toml. Run as
`python -m tools.check.names`, after `tools.check.types` has laid the stubs out.
"""

import ast
import sys
from pathlib import Path

from tools.check.boards import MICROPYTHON, ROOT, Board, espressif, frozen

STUBS = ROOT / "build" / "stubs"
MODULES = ("machine", "network", "esp32")


def members(body: list[ast.stmt]) -> dict[str, set[str]]:
    """Name → names inside it (of classes), as a stub's module or class body defines them."""
    found: dict[str, set[str]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found.setdefault(node.name, set()).update(members(node.body))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.setdefault(node.name, set())
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, set())
        elif isinstance(node, ast.Assign):
            found.update({t.id: set() for t in node.targets if isinstance(t, ast.Name)})
    return found


def stubs() -> dict[str, dict[str, set[str]]]:
    """Module → its members. FileNotFoundError before the stubs are laid out."""
    return {
        name: members(ast.parse((STUBS / f"{name}.pyi").read_text(encoding="utf-8")).body)
        for name in MODULES
    }


def used(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of all that a file takes from the three modules."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    alias = {}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            alias.update({a.asname or a.name: a.name for a in node.names if a.name in MODULES})
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for a in node.names:
                alias[a.asname or a.name] = f"{node.module}.{a.name}"
                found.append((node.lineno, f"{node.module}.{a.name}"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = _dotted(node)
            head, _, rest = name.partition(".")
            if head in alias:
                found.append((node.lineno, f"{alias[head]}.{rest}"))
    return found


def _dotted(node: ast.expr) -> str:
    """'machine.Pin.IN' of such an expression; '' of any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def fault(name: str, board: Board, there: dict[str, dict[str, set[str]]]) -> str:
    """A sentence when the port does not have a name; '' when it has."""
    module, member, *rest = name.split(".")
    if f"{module}.{member}" in board.lacks:
        return f"{module}.{member} is not on the {board.name}"
    if member not in there[module]:
        return f"MicroPython's ESP32 port has no {module}.{member}"
    inside = there[module][member]
    if rest and inside and rest[0] not in inside:
        return f"MicroPython's ESP32 port has no {module}.{member}.{rest[0]}"
    return ""


def files(board: Board) -> list[Path]:
    """All Python of the board's image that is this project's."""
    files = (file.path for file in frozen(board.name))
    return [path for path in files if not path.is_relative_to(MICROPYTHON)]


def main() -> None:
    """One line a board; exit with the place and the sentence of each name that is missing."""
    there = stubs()
    for board in espressif():
        wrong, count = [], 0
        for path in files(board):
            for line, name in used(path):
                count += 1
                said = fault(name, board, there)
                if said:
                    wrong.append(f"{path.relative_to(ROOT)}:{line}: {said}")
        if wrong:
            sys.exit("names: " + "; ".join(wrong))
        print(f"  {board.name}: {count} uses of {', '.join(MODULES)}, all in the port")


if __name__ == "__main__":
    main()
