"""Record what is done to the board as scenario steps, and play such steps on the running board."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tools.sim.actions import ACTIONS, ActionError, perform
from tools.sim.expectations import EXPECTATIONS, ExpectationError, Stage
from tools.sim.goldens import Pictures
from tools.sim.scenario import ScenarioError, Step, load
from tools.sim.simulation import Simulation
from tools.sim.timeline import Timeline

# A pause longer than this is worth an `advance` step, in seconds.
PAUSE = 1.0


class Recorder:
    """One recording at a time; `tell` hands a message to the browsers."""

    def __init__(self, sim: Simulation, timeline: Timeline,
                 tell: Callable[[dict[str, Any]], None]) -> None:
        self._sim, self._timeline, self._tell = sim, timeline, tell
        self._steps: list[dict[str, Any]] | None = None
        self._last = 0.0
        self._script: tuple[str, list[Step]] = ("", [])

    def start(self) -> dict[str, Any]:
        """Begin a new recording; returns the message that says so."""
        self._steps, self._last = [], asyncio.get_running_loop().time()
        return {"type": "recording", "on": True}

    def note(self, action: dict[str, Any]) -> None:
        """Add one action; keys that follow each other become one step."""
        if self._steps is None:
            return
        now = asyncio.get_running_loop().time()
        pause, self._last = now - self._last, now
        previous = self._steps[-1] if self._steps else {}
        if pause > PAUSE and self._steps:
            self._steps.append({"advance": round(pause, 1)})
        elif "key" in action and "key" in previous:
            previous["key"] += f" {action['key']}"
            return
        self._steps.append(dict(action))

    def stop(self) -> dict[str, Any]:
        """End the recording; the message carries it as a scenario in YAML."""
        if self._steps is None:
            return {"type": "recording", "on": False}
        scenario = {
            "name": "recorded on the page",
            "start": {"seed": self._sim.seed, "language": self._sim.language},
            "steps": self._steps,
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
                return load(path, [*ACTIONS, *EXPECTATIONS]).steps
            except ScenarioError as error:
                raise ActionError(str(error).replace(f"{folder}/", "")) from error

    def next_step(self, text: str) -> list[Step]:
        """The next single step of the text; a changed text begins anew."""
        if self._script[0] != text or not self._script[1]:
            self._script = (text, self.read(text))
        return [self._script[1].pop(0)] if self._script[1] else []

    async def play(self, steps: list[Step]) -> str:
        """Do the steps one after the other; returns what failed, or an empty string."""
        stage = Stage(self._sim, self._timeline, Pictures("page"))
        for step in steps:
            try:
                if step.word in ACTIONS:
                    await perform(self._sim, {step.word: step.argument})
                else:
                    await EXPECTATIONS[step.word](stage, step.argument)
            except (ActionError, ExpectationError) as error:
                return f"line {step.line}: {error}"
        return ""
