"""What ``bayesmed compare`` does and prints."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesmed.cards import Card, load_card
from bayesmed.checks.convergence import convergence
from bayesmed.cli.display import Display, clean
from bayesmed.cli.fitting import card_path, fit_any, load_quietly
from bayesmed.core.errors import BayesmedError
from bayesmed.data import SiteEstimates
from bayesmed.effects import Comparison, TrialComparison, compare
from bayesmed.effects.trials.compare import compare_trial
from bayesmed.generative import TrialModel
from bayesmed.inference import Fit
from bayesmed.report.comparison import checked_picture, estimates, write_picture
from bayesmed.report.content import Table as Content
from bayesmed.report.instruments import instruments
from bayesmed.report.trials.pictures import write_trial_picture
from bayesmed.report.trials.tables import trial_estimates, trial_instruments

# Quadrature gives moments and quantiles; the draws only serve medians of what follows from them.
CHAINS, DRAWS = 4, 500
NARROW = 60
"""Columns below which standard errors give way to names and intervals."""


@dataclass(frozen=True, eq=False)
class Compared:
    """What there is to print.

    Attributes
    ----------
    comparison
        The estimates and reasons.
    missing
        Why there is no posterior; empty where there is one.
    converged
        Whether every convergence check passed.
    picture
        Where the picture was written, if it was asked for.
    """

    comparison: Comparison | TrialComparison
    missing: str
    converged: bool
    picture: Path | None


def compare_card(
    name: Path, file: Path | None, out: Path | None, sample: bool, shown: Display
) -> Compared:
    """Read a card and its data, compare, and write the picture if one is asked for."""
    picture = None if out is None else checked_picture(out)
    card = load_card(card_path(name))
    data = load_quietly(card, file, shown)
    card.model.check_data(data)
    for note in data.notes:
        shown.note(f"Note: {note}")
    missing = ""
    fitted: Any = None
    if sample:
        fitted = fit_any(card.model, data, card.sampler, card.seed, shown)
    elif isinstance(card.model, TrialModel):
        missing = "No posterior: sample it with --fit."
    else:
        try:
            fitted = _exact(card, data, shown)
        except BayesmedError as error:
            missing = f"No posterior: {error} Or sample it with --fit."
    shown.phase("Comparing")
    if isinstance(card.model, TrialModel):
        of_trial = compare_trial(card.model, data, fitted)
        if picture is not None:
            write_trial_picture(of_trial, picture)
        return Compared(of_trial, missing, _converged(fitted), picture)
    comparison = compare(data if fitted is None else fitted, intercept=card.model.direct_effect)
    if picture is not None:
        write_picture(comparison, picture)
    return Compared(comparison, missing, _converged(fitted), picture)


def _converged(fitted: Any) -> bool:
    if fitted is None:
        return True
    return not any(c.status == "failed" for c in convergence(fitted))


def _exact(card: Card, data: SiteEstimates, shown: Display) -> Fit:
    sampler = replace(card.sampler, engine="exact", chains=CHAINS, draws=DRAWS)
    fitted: Fit = fit_any(card.model, data, sampler, card.seed or 0, shown)  # type: ignore[assignment]  # a model of sites
    return fitted


def show_comparison(compared: Compared) -> None:
    """Print a comparison on standard output: the table, the reasons, the notes."""
    terminal = sys.stdout.isatty()
    # A pipe or a file takes whole lines: nothing in it is folded for a screen.
    console = Console(highlight=False, width=None if terminal else 1000)

    def say(text: str, style: str = "") -> None:
        console.print(Text(clean(text), style=style), soft_wrap=not terminal)

    found = compared.comparison
    if isinstance(found, TrialComparison):
        slopes, strength = trial_estimates(found), trial_instruments(found)
    else:
        slopes, strength = estimates(found), instruments(found)
    console.print()
    if not compared.converged:
        say("The computation did not converge: do not use the posterior.", "bold red")
    console.print(_table(slopes, console.width))
    console.print()
    for sentence in () if isinstance(found, TrialComparison) else found.sentences():
        say(f"* {sentence}")
    console.print()
    if strength.rows:
        say(f"{strength.caption}:")
        console.print(_table(strength, console.width))
        console.print()
    if strength.note:
        say(strength.note)
        console.print()
    for note in (compared.missing, slopes.note):
        if note:
            say(f"Note: {note}", "yellow")
    if compared.picture is not None:
        say(f"Picture: {compared.picture}")


def _table(content: Content, width: int) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    columns = content.columns
    kept = [i for i, name in enumerate(columns) if width >= NARROW or name != "sd or SE"]
    for i in kept:
        words = i in content.texts
        table.add_column(
            columns[i],
            justify="left" if words else "right",
            overflow="fold",
            no_wrap=not words,
        )
    for row in content.rows:
        table.add_row(*(Text(clean(row[i])) for i in kept))
    return table
