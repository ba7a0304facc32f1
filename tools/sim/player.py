"""Play scenarios headless on the virtual clock: `pos play FILE…`.

One scenario is one simulation with its own folder, seed and clock, from power-on to the last
step. A
step that fails ends its scenario; the message names file and line and what was there instead.
"""

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.sim.actions import ACTIONS, ActionError, perform, take_in
from tools.sim.clock import ClockStopped, JobStuck, run
from tools.sim.expectations import EXPECTATIONS, ExpectationError, Stage
from tools.sim.goldens import Pictures
from tools.sim.scenario import Scenario, ScenarioError, Step, load
from tools.sim.simulation import Simulation, SimulationError
from tools.sim.start import bring_up
from tools.sim.tap_window import TapWindow
from tools.sim.timeline import Timeline

WORDS = [*ACTIONS, *EXPECTATIONS, "include"]
FAILURES = (ActionError, ExpectationError, SimulationError, ClockStopped, JobStuck)


@dataclass
class Result:
    """How one scenario went. `failure` is empty when every expectation held.

    taps: how often a card was in the field from its first APDU to its release. Whatever drew,
    printed or used the network meanwhile is a failure too.
    """

    name: str
    file: str
    failure: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    virtual_seconds: float = 0.0
    real_seconds: float = 0.0
    pictures: list[str] = field(default_factory=list)
    taps: int = 0

    @property
    def passed(self) -> bool:
        """Every expectation held and every picture is the golden one."""
        return not self.failure and not self.pictures


async def do_step(stage: Stage, step: Step) -> None:
    """Perform one action or hold one expectation."""
    if step.word in ACTIONS:
        await perform(stage.sim, {step.word: _with_names(stage.sim, step)})
    else:
        await EXPECTATIONS[step.word](stage, step.argument)


def _with_names(sim: Simulation, step: Step) -> Any:
    """The step's argument; a card's file, looked for beside the scenario, becomes its name."""
    argument = step.argument
    if step.word not in ("card", "phone") or not isinstance(argument, dict):
        return argument
    return {
        word: take_in(sim, step.file.parent / name) if _is_file(name) else name
        for word, name in argument.items()
    }


def _is_file(name: Any) -> bool:
    return isinstance(name, str) and name.endswith(".yaml")


async def _play(
    scenario: Scenario, seed: int, folder: Path, result: Result, trace: Path | None, path: str
) -> None:
    timeline = Timeline()
    sim = Simulation(virtual=True, seed=seed, folder=folder, start=scenario.start, path=path)
    sim.events.subscribe(timeline.add)
    window = TapWindow(sim)
    pictures = Pictures(scenario.file.stem)
    stage = Stage(sim, timeline, pictures)
    loop = asyncio.get_running_loop()
    try:
        await bring_up(stage, scenario.start)
        begun = loop.time()
        for step in scenario.steps:
            entry = {"step": step.word, "line": step.line, "at": round(loop.time() - begun, 6)}
            result.steps.append(entry)
            try:
                await do_step(stage, step)
            except FAILURES as error:
                entry["failure"] = result.failure = f"{step.place}: {error}"
                break
            entry["ok"] = True
        result.virtual_seconds = round(loop.time() - begun, 6)
    except FAILURES as error:
        result.failure = result.failure or f"{scenario.file}: {error}"
    finally:
        result.taps = window.taps
        if window.noise:
            noise = f"{scenario.file}: {window.noise[0]}"
            result.failure = "; ".join(filter(None, (result.failure, noise)))
        result.pictures = pictures.problems
        await sim.stop()
        if trace is not None:
            timeline.write(trace)


def play(
    file: Path, seed: int | None = None, trace: Path | None = None, folder: Path | None = None,
    path: str = ".frozen",
) -> Result:  # fmt: skip
    """Play one file; its simulation lives in `folder`, or in a temporary one that goes afterwards.

    path: where the firmware's modules come from, as in `tools.sim.process.Firmware`. A file that
    is no scenario gives a Result with the reason, as any other failure.
    """
    begun = time.monotonic()
    result = Result(file.stem, str(file))
    try:
        scenario = load(file, WORDS)
    except ScenarioError as error:
        result.failure = str(error)
        return result
    result.name = scenario.name
    chosen = int(scenario.start["seed"]) if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="suanpan-") as temporary:
        run(_play(scenario, chosen, folder or Path(temporary), result, trace, path))
    result.real_seconds = time.monotonic() - begun
    return result
