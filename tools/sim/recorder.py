"""Record what is done to the board as scenario steps, and play such steps on the running board."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tools.sim.actions import ACTIONS, ActionError, perform
from tools.sim.expectations import EXPECTATIONS, ExpectationError, Stage
from tools.sim.network import NetworkError
from tools.sim.scenario import ScenarioError, Step, load
from tools.sim.simulation import Simulation, SimulationError
from tools.sim.timeline import Timeline

# Keys that follow each other within so many seconds are one step; before anything else a pause is
# worth an `advance` from NOTICED seconds on.
TYPED, NOTICED = 0.5, 0.1
POSTED = ("type", "amount", "state")


class Recorder:
    """One recording at a time, and the scenario that is stepped through."""

    def __init__(self, sim: Simulation, timeline: Timeline) -> None:
        self._sim, self._timeline = sim, timeline
        self._steps: list[dict[str, Any]] | None = None
        self._last = 0.0
        self._posted = 0
        self._script: tuple[str, list[Step]] = ("", [])

    @property
    def recording(self) -> bool:
        """A recording is under way."""
        return self._steps is not None

    def start(self) -> dict[str, Any]:
        """Begin a new recording; returns the message that says so."""
        self._steps, self._last = [], asyncio.get_running_loop().time()
        self._posted = len(self._sim.postings())
        return {"type": "recording", "on": True}

    def note(self, action: dict[str, Any]) -> None:
        """Add one action with the pause before it; keys typed in one go become one step."""
        if self._steps is None:
            return
        now = asyncio.get_running_loop().time()
        pause, self._last = now - self._last, now
        previous = self._steps[-1] if self._steps else {}
        if "key" in action and "key" in previous and pause < TYPED:
            previous["key"] += f" {action['key']}"
            return
        if self._steps and pause >= NOTICED:
            self._steps.append({"advance": round(pause, 1)})
        self._steps.append(dict(action))

    def stop(self) -> dict[str, Any]:
        """End the recording; the message carries it as a scenario in YAML.

        It ends with the money that moved, so that playing it again can fail.
        """
        if self._steps is None:
            return {"type": "recording", "on": False}
        posted = [{name: row[name] for name in POSTED}
                  for row in self._sim.postings()[self._posted:]]
        expected = {"acquirer": posted, "difference": self._sim.difference()}
        scenario = {
            "name": "recorded on the page",
            "start": {"seed": self._sim.seed, "language": self._sim.language},
            "steps": [*self._steps, {"expect-ledger": expected}],
        }
        self._steps = None
        text = yaml.safe_dump(scenario, allow_unicode=True, sort_keys=False)
        return {"type": "recording", "on": False, "yaml": text}

    def read(self, text: str) -> list[Step]:
        """The steps of a scenario's text; ActionError with line and reason if it is none."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scenario.yaml"
            path.write_text(text, encoding="utf-8")
            try:
                return load(path, [*ACTIONS, *EXPECTATIONS, "include"]).steps
            except ScenarioError as error:
                raise ActionError(str(error).replace(f"{folder}/", "")) from error

    def next_step(self, text: str) -> list[Step]:
        """The next single step of the text; a changed text, or the end, begins anew."""
        if self._script[0] != text or not self._script[1]:
            self._script = (text, self.read(text))
        return [self._script[1].pop(0)] if self._script[1] else []

    async def play(self, stage: Stage, step: Step) -> str:
        """Do one step; returns what failed with its line, or an empty string."""
        try:
            if step.word in ACTIONS:
                await perform(self._sim, {step.word: step.argument})
            else:
                await EXPECTATIONS[step.word](stage, step.argument)
        except (ActionError, ExpectationError, NetworkError, SimulationError) as error:
            return f"line {step.line}: {error}"
        return ""
