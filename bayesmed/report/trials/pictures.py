"""The pictures of a report of one trial with the words around them."""

from __future__ import annotations

import os
from functools import partial

import numpy as np

from bayesmed.core.names import (
    ARM,
    ATE,
    CWATE,
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    NDE,
    NIE,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.data import TrialNames
from bayesmed.effects import Effects, TrialComparison
from bayesmed.effects.trials.principal_strata import NDE_IV, NIE_GAP, NIE_IV
from bayesmed.effects.trials.random_coefficients import (
    AVERAGE_TREATMENT_EFFECT,
    INTENTION_TO_TREAT,
    LATE,
    TOT,
)
from bayesmed.inference import TrialFit
from bayesmed.report.comparison import ends, write_figure
from bayesmed.report.content import Picture
from bayesmed.report.figures.convergence import ranks
from bayesmed.report.figures.prior_posterior import prior_posterior
from bayesmed.report.figures.trials import (
    MOST_STATISTICS,
    Panel,
    trial_comparison,
    trial_effects,
    trial_predictive,
)
from bayesmed.report.trials.names import statistics
from bayesmed.report.words import capital

__all__ = [
    "OF_MEDIATOR",
    "ON_OUTCOME",
    "beside",
    "chain_ranks",
    "effects_picture",
    "predictions",
    "priors_and_posteriors",
    "write_trial_picture",
]

ON_OUTCOME = (
    TOTAL_EFFECT,
    ATE,
    INTENTION_TO_TREAT,
    INDIRECT_EFFECT,
    DIRECT_EFFECT,
    NIE,
    NDE,
    NIE_IV,
    NDE_IV,
    NIE_GAP,
)
"""Effects of the first picture, in its order, where a model has them: in units of the outcome."""
OF_MEDIATOR = (SLOPE, AVERAGE_TREATMENT_EFFECT, CWATE, LATE, TOT)
"""Those in units of the outcome by units of the mediator."""


def effects_picture(found: Effects, names: TrialNames) -> Picture:
    """Draw the main effects with their intervals, a panel for each unit."""
    m, y = names.mediator, names.outcome
    units = {
        f"effect on {y}, in its units": ON_OUTCOME,
        f"effect on {y} of a unit of {m}": OF_MEDIATOR,
        f"effect on {m}": (MEDIATOR_EFFECT,),
    }
    panels = [_panel(found, unit, effects) for unit, effects in units.items()]
    panels = [panel for panel in panels if panel.labels]
    said = [
        f"{label}{', ' if entry else ''}{entry} {_said(draws)}"
        for panel in panels
        for label, entry, draws in zip(*panel[1:], strict=True)
    ]
    return Picture(
        "effects",
        "Posterior median, 50 % (thick) and 95 % (thin) interval of the main effects. An arrow: "
        "the interval goes on.",
        f"Effects with 95 % intervals: {'; '.join(said)}.",
        partial(trial_effects, panels),
    )


def _panel(found: Effects, unit: str, effects: tuple[str, ...]) -> Panel:
    """Take the effects of one unit apart into their entries."""
    panel = Panel(unit, [], [], [])
    for name in effects:
        # Of a binary mediator the two are one number.
        if name not in found.draws or (name == CWATE and LATE in found.draws):
            continue
        values = found.draws[name]
        entries = [""]
        if ARM in values.dims:
            entries = [f"arm {x}" for x in values[ARM].to_numpy()]
        for i, entry in enumerate(entries):
            own = values.isel({ARM: i}) if entry else values
            panel.labels.append(capital(found.labels[name]))
            panel.entries.append(entry)
            panel.draws.append(own.to_numpy().ravel())
    return panel


def _said(draws: Floats) -> str:
    low, middle, high = np.nanquantile(draws, [0.025, 0.5, 0.975])
    return f"{number(middle)} [{number(low)}, {number(high)}]"


def beside(found: TrialComparison) -> Picture:
    """Every estimate as a point with its interval."""
    said = [
        f"{found.labels.get(row.effect, row.effect)}{f', arm {row.entry}' if row.entry else ''}, "
        f"{row.estimator} {number(row.estimate)} [{ends(row.low, row.high)}]"
        for row in found.rows
        if np.isfinite(row.estimate)
    ]
    return Picture(
        "estimators",
        "Blue: posterior median and 95 % interval. Orange: classical estimates with theirs. An "
        "arrow: the interval goes on.",
        f"Estimates with 95 % intervals: {'; '.join(said)}.",
        partial(trial_comparison, found),
    )


def write_trial_picture(found: TrialComparison, path: str | os.PathLike[str]) -> None:
    """Write the picture of a comparison to a file; one that is there is replaced.

    Raises
    ------
    StorageError
        If the name does not end in ``.png`` or ``.svg``, or the place cannot be written.
    """
    write_figure(trial_comparison(found), path)


def predictions(fit: TrialFit) -> Picture:
    """Statistics of the data in the intervals predicted for data of the same size."""
    every = sum(1 for _ in statistics(fit))
    some = f" Of {every} statistics {MOST_STATISTICS} are shown." if every > MOST_STATISTICS else ""
    return Picture(
        "predicted",
        "Orange: statistics of the data. Blue: where 95 % of those of data sets predicted by the "
        f"model lie. About one in twenty points lies outside by chance.{some}",
        "Observed statistics on the intervals predicted for them.",
        partial(trial_predictive, fit),
    )


def priors_and_posteriors(fit: TrialFit) -> Picture:
    """Every parameter with a prior of choice before and after the data."""
    return Picture(
        "priors",
        "Density of every parameter before (dashed) and after (filled) seeing the data. Where the "
        "two agree, the data have said little.",
        "Prior and posterior density of each parameter, one panel each.",
        partial(prior_posterior, fit),
    )


def chain_ranks(fit: TrialFit) -> Picture:
    """Rank histograms of the chains."""
    return Picture(
        "ranks",
        "Ranks of each chain's draws among all draws, one line per chain. Chains that found the "
        "same posterior stay level, mostly in the grey band. Last, the sampler's energy.",
        "Rank histograms of every parameter by chain.",
        partial(ranks, fit),
    )
