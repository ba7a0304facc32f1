"""How deep pinmac's core goes into the stack, and that it can go no deeper.

GCC writes the calls and the frame of every function (-fcallgraph-info=su); without cycles, calls
through pointers and frames of run-time size the deepest path is the worst case. Frames of the
port and of the C library's memory functions are not in it: each board has its own.
Run as `python -m tools.check.stack`: a table of bytes for each call, on RV32 and x86-64.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tools.check.pinmac import compile_core, declarations

MACHINES = ("RV32", "x86-64")
# A leaf may use 128 bytes below its frame there (System V ABI 3.2.2), which GCC does not count.
WHOLE_FRAMES = {"x86-64": ("-mno-red-zone",)}
INDIRECT = "__indirect_call"
_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]+)"')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_FRAME = re.compile(r"\\n(\d+) bytes \(([^)]*)\)")


class StackError(Exception):
    """The depth has no bound; the message names the functions."""


@dataclass
class CallGraph:
    """Who calls whom, and how many bytes of stack each function takes.

    A function that is compiled elsewhere has calls to it but no frame.
    """

    frames: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    dynamic: set[str] = field(default_factory=set)

    def read(self, text: str) -> None:
        """Add what one of GCC's .ci files says."""
        for title, label in _NODE.findall(text):
            if frame := _FRAME.search(label):
                self.frames[title] = int(frame[1])
                self.calls.setdefault(title, set())
                if frame[2] not in {"static", "dynamic,bounded"}:
                    self.dynamic.add(title)
        for caller, called in _EDGE.findall(text):
            self.calls.setdefault(caller, set()).add(called)

    def faults(self) -> list[str]:
        """A sentence for everything that leaves the depth without a bound."""
        found = [f"{name} calls through a pointer" for name, called in self.calls.items()
                 if INDIRECT in called]
        found += [f"{name} has a frame of run-time size" for name in self.dynamic]
        found += [" calls ".join(cycle) for cycle in self.cycles()]
        return sorted(found)

    def cycles(self) -> list[list[str]]:
        """One path for each function that can come back to itself."""
        found = []
        for start in sorted(self.calls):
            paths, seen = [[start]], set()
            while paths:
                path = paths.pop()
                for called in self.calls.get(path[-1], ()):
                    if called == start:
                        found.append([*path, start])
                        paths = []
                        break
                    if called not in seen:
                        seen.add(called)
                        paths.append([*path, called])
        return found

    def deepest(self, name: str) -> tuple[int, list[str]]:
        """Bytes of the deepest path from a function, and the path. Without faults this ends."""
        below = [self.deepest(called) for called in self.calls.get(name, ())]
        size, path = max(below, default=(0, []))
        return self.frames.get(name, 0) + size, [name, *path]


def call_graph(machine: str, *flags: str) -> CallGraph:
    """The core's call graph on a machine, compiled with these flags (-O2 without any)."""
    graph = CallGraph()
    with tempfile.TemporaryDirectory() as folder:
        compile_core(machine, Path(folder), *(flags or ("-O2",)), *WHOLE_FRAMES.get(machine, ()),
                     "-fcallgraph-info=su")
        for path in Path(folder).glob("*.ci"):
            graph.read(path.read_text("utf-8"))
    return graph


def worst_cases(machine: str, *flags: str) -> dict[str, tuple[int, list[str]]]:
    """Public call → (bytes, deepest path). Raises StackError when there is no bound."""
    graph = call_graph(machine, *flags)
    if faults := graph.faults():
        raise StackError(f"{machine}: " + "; ".join(faults))
    return {name: graph.deepest(name) for name in declarations()}


def main() -> None:
    """Print the table, deepest first."""
    try:
        tables = {machine: worst_cases(machine) for machine in MACHINES}
    except FileNotFoundError as error:
        sys.exit(f"stack: {error.filename} is missing: make test installs it.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"stack: the core does not compile: {error.stderr}")
    except StackError as error:
        sys.exit(f"stack: {error}")
    print(f"  {'bytes of stack':<26}" + "".join(f"{machine:>8}" for machine in MACHINES)
          + "  deepest on " + MACHINES[0])
    for name in sorted(tables[MACHINES[0]], key=lambda name: -tables[MACHINES[0]][name][0]):
        sizes = "".join(f"{tables[machine][name][0]:8}" for machine in MACHINES)
        path = [step.rpartition(":")[2] for step in tables[MACHINES[0]][name][1][1:]]
        print(f"  {name:<26}{sizes}  {' > '.join(path)}")


if __name__ == "__main__":
    main()
