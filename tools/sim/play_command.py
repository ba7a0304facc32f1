"""`pos play`: one line a scenario, exit code 0 only if every expectation held."""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from tools.sim import goldens
from tools.sim.player import Result, play

console = Console(highlight=False)


def show(result: Result, verbose: bool) -> None:
    """One line for the scenario, and its failure beneath it."""
    mark = "[green]✓[/]" if result.passed else "[red]✗[/]"
    console.print(
        f"{mark} {result.name}  [dim]{result.virtual_seconds:.1f} s of its time in "
        f"{result.real_seconds:.2f} s[/]"
    )
    if verbose:
        for step in result.steps:
            console.print(f"    [dim]{step['at']:9.3f}  line {step['line']:<3} {step['step']}[/]")
    if result.failure:
        console.print(f"    {result.failure}", markup=False)
    for picture in result.pictures:
        console.print(f"    not the golden picture: {picture}", markup=False)


def command(
    files: Annotated[list[Path], typer.Argument(help="scenario files")],
    seed: Annotated[int | None, typer.Option(help="replace the scenarios' seeds")] = None,
    trace: Annotated[
        Path | None, typer.Option(help="keep the timeline, a JSON object a line")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="print the steps' results as JSON")
    ] = False,
    jobs: Annotated[int, typer.Option(help="scenarios played at once")] = 2,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="every step with its time")
    ] = False,
) -> None:
    """Play scenarios headless on the virtual clock."""
    if trace is not None and len(files) != 1:
        raise typer.BadParameter("--trace keeps the timeline of one scenario")
    results = []
    workers = min(jobs, len(files))
    with (
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        Progress(console=console, transient=True, disable=as_json) as progress,
    ):
        task = progress.add_task("playing", total=len(files))
        for result in pool.map(play, files, [seed] * len(files), [trace] * len(files)):
            results.append(result)
            progress.advance(task)
            if not as_json:
                show(result, verbose)
    if as_json:
        typer.echo(
            json.dumps(
                [{**vars(r), "passed": r.passed} for r in results], ensure_ascii=False, indent=1
            )
        )
    differing = [picture for r in results for picture in r.pictures]
    if differing:
        console.print(f"pictures side by side: {goldens.report(differing)}", markup=False)
    if not as_json:
        failed = sum(not r.passed for r in results)
        console.print(f"{len(results) - failed} passed, {failed} failed", markup=False)
    raise typer.Exit(0 if all(r.passed for r in results) else 1)
