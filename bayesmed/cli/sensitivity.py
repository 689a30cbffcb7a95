"""What ``bayesmed sensitivity`` does between reading its arguments and leaving."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesmed.cards import PriorStudy, load_card
from bayesmed.cli.display import Display, clean
from bayesmed.cli.fitting import Overrides, card_path, load_quietly
from bayesmed.core.errors import ModelError
from bayesmed.core.seeds import checked_seed
from bayesmed.generative import PrincipalStrata, TrialModel
from bayesmed.inference import fit
from bayesmed.report.content import Content
from bayesmed.report.sensitivity import sensitivity_content
from bayesmed.report.sensitivity_files import (
    REPORTS,
    STUDY,
    checked_sensitivity_folder,
    write_heterogeneity,
    write_sensitivity,
)
from bayesmed.report.trials.heterogeneity import heterogeneity_content
from bayesmed.studies.sensitivity import heterogeneity_study, prior_sensitivity
from bayesmed.studies.sensitivity.prior_sets import FACTORS
from bayesmed.studies.store import stored_seed


@dataclass(frozen=True)
class Studied:
    """What was found and where it was written; not ``sound`` if a fit failed to converge."""

    content: Content
    directory: Path
    sound: bool


def study_priors(
    name: Path,
    file: Path | None,
    out: Path | None,
    overrides: Overrides,
    workers: int | None,
    shown: Display,
) -> Studied:
    """Read a card and its data, fit, and fit again under the priors the card names.

    Everything that can be refused is refused before the long work begins. A study that was
    interrupted goes on in its folder.
    """
    card = load_card(card_path(name))
    model = card.model
    if isinstance(model, TrialModel) and not _has_types(model):
        raise ModelError(
            f"{card.path.name}: refits are for models of sites, and for types of persons.",
            "Fit the card once for each prior.",
        )
    data = load_quietly(card, file, shown)
    model.check_data(data)
    directory = checked_sensitivity_folder(out or Path("results") / f"{card.path.stem}_sensitivity")
    store = directory / STUDY
    given = card.seed if overrides.seed is None else overrides.seed
    seed = checked_seed(stored_seed(store) if given is None else given)
    for note in data.notes:
        shown.note(f"Note: {note}")
    sampler = overrides.sampler(card.sampler)
    if isinstance(model, TrialModel):
        of_types = fit(model, data, sampler=sampler, seed=seed, progress=shown)
        directory.mkdir(parents=True, exist_ok=True)
        curves = heterogeneity_study(of_types, store=store, workers=workers, progress=shown)
        shown.phase("Writing the results")
        write_heterogeneity(curves, directory, framing=card.framing)
        sound = curves.failed.empty and bool(curves.table()["converged"].astype(bool).all())
        return Studied(heterogeneity_content(curves, card.framing), directory, sound)
    fitted = fit(model, data, sampler=sampler, seed=seed, progress=shown)
    study = card.prior_study or PriorStudy()
    directory.mkdir(parents=True, exist_ok=True)
    found = prior_sensitivity(
        fitted,
        alternatives=study.alternatives,
        parameters=study.parameters,
        factors=FACTORS if study.factors is None else study.factors,
        together=study.together,
        store=store,
        workers=workers,
        progress=shown,
    )
    shown.phase("Writing the results")
    write_sensitivity(found, directory, framing=card.framing)
    sound = found.failures().empty and bool(found.table()["converged"].astype(bool).all())
    return Studied(sensitivity_content(found, card.framing), directory, sound)


def _has_types(model: object) -> bool:
    return isinstance(model, PrincipalStrata) and not model.saturated


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
    say(f"Report: {studied.directory / REPORTS[0]}")
