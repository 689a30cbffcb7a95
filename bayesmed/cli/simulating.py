"""What ``bayesmed simulate`` does and prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from bayesmed.cli.display import Display, clean
from bayesmed.core.seeds import checked_seed
from bayesmed.report.content import Table as Content
from bayesmed.report.simulation import performance_table
from bayesmed.report.simulation_folder import (
    SimulationResults,
    checked_simulation_folder,
    write_simulation,
)
from bayesmed.studies.simulation import Simulation, simulate
from bayesmed.studies.simulation.plan import Plan, load_plan, parsed_values

MOST_ROWS = 60
# Where a terminal is narrow, these go first.
LESS = ("RMSE", "Bias", "No interval", "Wrong sign", "Median width")


@dataclass(frozen=True)
class Overrides:
    """Options of the command line that win over the plan; None where not given."""

    replicates: int | None = None
    seed: int | None = None
    workers: int | None = None
    store: Path | None = None


@dataclass(frozen=True, eq=False)
class Simulated:
    """What there is to print."""

    found: Simulation
    results: SimulationResults


def simulate_plan(
    file: Path | None,
    values: Mapping[str, str | None],
    out: Path | None,
    overrides: Overrides,
    shown: Display,
) -> Simulated:
    """Read a plan, simulate its designs, and write the results.

    Everything that can be refused is refused before the long work begins.
    """
    plan = Plan({}) if file is None else load_plan(file)
    plan = plan.overridden(parsed_values(values))
    if overrides.replicates is not None:
        plan = replace(plan, replicates=overrides.replicates)
    seed = checked_seed(plan.seed if overrides.seed is None else overrides.seed)
    designs = plan.designs()
    name = "simulation" if file is None else file.stem
    directory = checked_simulation_folder(out or Path("results") / name)
    found = simulate(
        designs,
        replicates=plan.replicates,
        estimators=plan.estimators,
        models={"Posterior": plan.model},
        intercept=plan.intercept,
        seed=seed,
        store=overrides.store,
        workers=overrides.workers,
        progress=shown,
    )
    shown.phase("Writing the results")
    return Simulated(found, write_simulation(found, directory, title=plan.title))


def show_simulation(simulated: Simulated) -> None:
    """Print on standard output: what failed, the answer, the table, where the report is."""
    terminal = sys.stdout.isatty()
    # A pipe or a file takes whole lines: nothing in it is folded for a screen.
    console = Console(highlight=False, width=None if terminal else 1000)

    def say(text: str, style: str = "") -> None:
        console.print(Text(clean(text), style=style), soft_wrap=not terminal)

    answer = simulated.results.answer
    console.print()
    for warning in answer.first:
        say(warning, "bold red")
    say(answer.sentence, "bold")
    console.print()
    content = performance_table(simulated.found)
    console.print(_fitting(content, console))
    console.print()
    for note in (*answer.notes, content.note):
        say(f"Note: {note}", "yellow")
    say(f"Report: {_near(simulated.results.directory / 'report.html')}")


def _fitting(content: Content, console: Console) -> Table:
    """Leave out columns until the table fits."""
    for dropped in range(len(LESS) + 1):
        table = _table(content, LESS[:dropped])
        if Measurement.get(console, console.options, table).maximum < console.width:
            break
    return table


def _table(content: Content, without: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    kept = [i for i, name in enumerate(content.columns) if name not in without]
    for i in kept:
        words = i in content.texts
        table.add_column(
            content.columns[i],
            justify="left" if words else "right",
            overflow="fold",
            no_wrap=not words,
        )
    for row in content.rows[:MOST_ROWS]:
        table.add_row(*(Text(clean(row[i])) for i in kept))
    return table


def _near(path: Path) -> str:
    """Return a path as it is typed from here, where it lies below the current folder."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
