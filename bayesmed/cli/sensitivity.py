"""What ``bayesmed sensitivity`` does between reading its arguments and leaving."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesmed.cards import AssumptionStudy, Card, PriorStudy, load_card
from bayesmed.cli.display import Display, clean
from bayesmed.cli.fitting import Overrides, card_path, fit_any, load_quietly
from bayesmed.core.seeds import checked_seed
from bayesmed.generative import TrialModel
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.report.content import Content
from bayesmed.report.sensitivity_files import (
    ASSUMPTION_REPORTS,
    ASSUMPTION_STUDY,
    REPORTS,
    STUDY,
    checked_sensitivity_folder,
    write_assumptions,
    write_sensitivity,
)
from bayesmed.studies.sensitivity import assumption_sensitivity, prior_sensitivity
from bayesmed.studies.sensitivity.assumption_grid import planned
from bayesmed.studies.sensitivity.prior_sets import FACTORS
from bayesmed.studies.store import stored_seed


@dataclass(frozen=True)
class Studied:
    """What was found and the report of it; not ``sound`` if a fit failed to converge."""

    content: Content
    report: Path
    sound: bool


def study_card(
    name: Path,
    file: Path | None,
    out: Path | None,
    overrides: Overrides,
    workers: int | None,
    assumptions: bool,
    shown: Display,
) -> list[Studied]:
    """Read a card and its data, fit, and fit again as the card says.

    Other priors where it names any, or names nothing; assumptions held at values where it names
    those, for a model of one trial, and with ``assumptions``, which leaves other priors aside.
    Everything that can be refused is refused before the long work begins. A study that was
    interrupted goes on in its folder.
    """
    card = load_card(card_path(name))
    model: Any = card.model
    given_way = card.assumption_study
    if given_way is None and (assumptions or isinstance(model, TrialModel)):
        given_way = AssumptionStudy()
    priors = not assumptions and (card.prior_study is not None or given_way is None)
    data = load_quietly(card, file, shown)
    model.check_data(data)
    if given_way is not None:
        planned(model, data, given_way.axes or None, given_way.priors)
    directory = checked_sensitivity_folder(out or Path("results") / f"{card.path.stem}_sensitivity")
    chosen = card.seed if overrides.seed is None else overrides.seed
    seed = checked_seed(_stored(directory) if chosen is None else chosen)
    for note in data.notes:
        shown.note(f"Note: {note}")
    fitted = fit_any(model, data, overrides.sampler(card.sampler), seed, shown)
    directory.mkdir(parents=True, exist_ok=True)
    found = []
    if priors and not is_trial(fitted):
        found.append(_priors(card, fitted, directory, workers, shown))
    if given_way is not None:
        found.append(_assumptions(card, given_way, fitted, directory, workers, shown))
    return found


def _stored(directory: Path) -> int | None:
    """Return the seed that a study in a folder was begun with, None where there is none."""
    seeds = (stored_seed(directory / file) for file in (STUDY, ASSUMPTION_STUDY))
    return next((seed for seed in seeds if seed is not None), None)


def _priors(
    card: Card, fitted: Fit, directory: Path, workers: int | None, shown: Display
) -> Studied:
    study = card.prior_study or PriorStudy()
    found = prior_sensitivity(
        fitted,
        alternatives=study.alternatives,
        parameters=study.parameters,
        factors=FACTORS if study.factors is None else study.factors,
        together=study.together,
        store=directory / STUDY,
        workers=workers,
        progress=shown,
    )
    shown.phase("Writing the results")
    content = write_sensitivity(found, directory, framing=card.framing)
    sound = found.failures().empty and bool(found.table()["converged"].astype(bool).all())
    return Studied(content, directory / REPORTS[0], sound)


def _assumptions(
    card: Card,
    study: AssumptionStudy,
    fitted: Fit | TrialFit,
    directory: Path,
    workers: int | None,
    shown: Display,
) -> Studied:
    found = assumption_sensitivity(
        fitted,
        study.axes or None,
        priors=study.priors,
        store=directory / ASSUMPTION_STUDY,
        workers=workers,
        progress=shown,
    )
    shown.phase("Writing the results")
    content = write_assumptions(found, directory, framing=card.framing)
    sound = found.failures().empty and bool(found.table()["converged"].astype(bool).all())
    return Studied(content, directory / ASSUMPTION_REPORTS[0], sound)


def show_study(studied: Studied) -> None:
    """Print the answer of a study on standard output."""
    terminal = sys.stdout.isatty()
    # A pipe or a file takes whole lines: nothing in it is folded for a screen.
    console = Console(highlight=False, width=None if terminal else 1000)

    def say(text: str, style: str = "") -> None:
        console.print(Text(clean(text), style=style), soft_wrap=not terminal)

    answer = studied.content.answer
    console.print()
    for warning in answer.first:
        say(warning, "bold red")
    say(answer.sentence, "bold")
    console.print()
    for table in studied.content.tables[:1]:
        shown = Table(box=None, pad_edge=False)
        for column in table.columns:
            shown.add_column(column, overflow="fold")
        for row in table.rows:
            shown.add_row(*(Text(clean(cell)) for cell in row))
        if studied.content.sections[0].blocks[0] is table:
            console.print(shown)
            console.print()
    say(f"Report: {studied.report}")
