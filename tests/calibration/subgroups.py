"""Sites found in one trial: do intervals cover where persons are used once, and where twice?

    python -m tests.calibration.subgroups [--replicates 500] [--workers 2] [--table] [--out FILE]

Six baseline covariates of four values each; effects on the mediator and direct effects differ by
the first two, drawn anew for every trial and apart from each other; persons' errors of mediator
and outcome are correlated .8. Sites are leaves of an honest tree, of a tree grown on the persons
on whom effects are then estimated, and strata of cross-fitted propensities to comply. One row per
design, way and quantity: how often 95 % intervals cover, with a Monte Carlo error over replicates.
A site's true effect is the average over its persons. Of the first 100 trials also strata, and
``combined``: the honest tree grown in five splits, answers put together by medians.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmed.core import provenance
from bayesmed.data import PersonRows, RowColumns, SiteEstimates
from bayesmed.formulas.repeated_splits import median_interval
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit
from bayesmed.studies import Row, run_study
from bayesmed.subgroups import (
    CausalTree,
    CompliancePropensity,
    find_sites,
    repeat_sites,
)
from tests.calibration.job_corps import STORED as JOB_CORPS
from tests.calibration.job_corps import job_corps_tables

STORED = Path(__file__).with_name("subgroups.json")
TABLE = Path(__file__).parents[2] / "docs" / "subgroups.md"
PAGE = """# Sites found in the data

One randomised trial can make its own sites: groups of persons whose mediator treatment moves
differently. `find_sites` finds leaves of a causal tree (Fu 2023, sections 5 and 6.3) or strata of
propensities to comply (Reardon and Raudenbush 2013, section 6). Who belongs to which site must not
hang on the persons whose effects are estimated there. So a tree is grown on one random part of the
persons and effects are estimated on the other, and everybody's propensity comes from other persons.

Written by `python -m tests.calibration.subgroups --table` from what it and
`python -m tests.calibration.job_corps` store (`make calibration` repeats them).

## What using the same persons twice does

How often 95 % intervals cover in simulated trials, with Monte Carlo errors: of the effects at each
site, and of the slope (the default model's posterior; true slope .5, persons' errors of mediator
and outcome correlated .8). Six baseline columns of four values each; the first two change
effects, which are drawn anew for every trial: 4,000 persons with effects on the mediator that have
a standard deviation of .4, 2,000 with .2, and 2,000 with none.

{coverage}

A tree that saw the persons in its leaves finds differences that are partly chance. Chance moves
mediator and outcome together, so effects at sites are off, and the slope goes where mediator and
outcome are confounded. An honest tree costs width, which is the width that the data warrant; where
its intervals of the slope cover more than 95 %, sites differ so little that the prior is most of
what is known. `combined` puts the answers of five honest splits together by medians.

## Job Corps

9,240 young people, offered a place in Job Corps or not; the slope is what being in training in the
first year adds to earnings in the fourth, in dollars a week. The recipe of the published package is
one tree, and its least squares, SIMEX and BCES, which leave the covariance of the two estimates out
("published form"); 95 % intervals.

{one_split}

![The honest tree of eight leaves, split by age, sex, schooling and race, with the effects estimated
in each leaf on other persons](images/job_corps_tree.png)

The recipe on one tree that was grown on the persons in its leaves (least squares, SIMEX) gives a
slope whose interval excludes 0. The honest tree has half the persons, wider intervals, and slopes
that are no smaller: what using persons twice does shows in the trials above, not in one data set.
Other random parts of the same persons give other leaves and other slopes:

{many_splits}

Columns that trees use, by share of the splits: {columns}. Nearly all splits have a median above 0,
and the interval over all of them still includes it: the same persons stand behind every split, and
what they say of training is little once the offer may have direct effects.
"""
SEED = 20261122
SLOPE, SPLITS, FIRST = 0.5, 5, 100
HOWS: dict[str, CausalTree | CompliancePropensity] = {
    "honest tree": CausalTree(),
    "tree, the same persons twice": CausalTree(honest=False),
    "strata of compliance": CompliancePropensity(),
}
QUANTITIES = ("effects on the mediator", "effects on the outcome", "slope")


@dataclass(frozen=True)
class Design:
    """Number of persons; spread of effects on the mediator and of direct effects."""

    persons: int
    mediator_sd: float
    direct_sd: float
    others: bool = False


DESIGNS = {
    "effects differ": Design(4000, 0.4, 0.2, others=True),
    "effects differ a little": Design(2000, 0.2, 0.1),
    "effects on the mediator are equal": Design(2000, 0.0, 0.1),
}


def people(design: Design, rng: np.random.Generator) -> pd.DataFrame:
    """Draw persons, with their own effects in ``gamma`` and ``beta``."""
    n = design.persons
    x = rng.integers(0, 4, (n, 6))
    gamma = 0.4 + differing(x, design.mediator_sd, rng)
    theta = 0.3 + differing(x, design.direct_sd, rng)
    treated = rng.permutation(np.arange(n) % 2)
    e, u = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], n).T
    mediator = gamma * treated + 0.3 * x[:, 1] + e
    outcome = SLOPE * mediator + theta * treated + u
    return pd.DataFrame(x, columns=[f"x{j}" for j in range(1, 7)]).assign(
        t=treated, m=mediator, y=outcome, gamma=gamma, beta=theta + SLOPE * gamma
    )


def differing(x: np.ndarray, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return what the first two covariates add to an effect."""
    first, second = rng.normal(0, sd / np.sqrt(2), (2, 4))
    added: np.ndarray = first[x[:, 0]] + second[x[:, 1]]
    return added


def effects_covered(sites: SiteEstimates) -> list[float]:
    """Return the shares of sites whose intervals cover their persons' average effects."""
    gamma, beta = sites.covariates["gamma"], sites.covariates["beta"]
    mediator = np.abs(sites.mediator_effect[:, 0] - gamma) < 1.96 * sites.mediator_se[:, 0]
    total = np.abs(sites.total_effect - beta) < 1.96 * sites.total_effect_se
    return [float(mediator.mean()), float(total.mean())]


def slope_interval(sites: SiteEstimates, seed: int) -> list[float]:
    """Return ends and middle of the posterior of the slope."""
    fitted = fit(SiteSlope(), sites, sampler=Sampler(engine="exact"), seed=seed)
    draws = fitted.tree["posterior"]["slope"].to_numpy()
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975]).tolist()
    return [low, high, middle]


@dataclass(frozen=True)
class Trial:
    """One simulated trial."""

    design: str
    number: int

    @property
    def key(self) -> str:
        """Design and number."""
        return f"{self.design}: {self.number}"

    def run(self, seed: int) -> list[Row]:
        """Find sites in every way; return what covers."""
        design = DESIGNS[self.design]
        persons = people(design, np.random.default_rng(seed))
        site = tuple(f"x{j}" for j in range(1, 7))
        # Averages of persons' own effects travel with their sites; no estimate reads them.
        columns = RowColumns("t", ("m",), "y", site=site, site_covariates=("gamma", "beta"))
        rows = PersonRows.from_frame(persons, columns)
        answers: list[Row] = []
        # Strata, and several splits, in the first trials of one design.
        others = design.others and self.number < FIRST
        for name in HOWS if others else list(HOWS)[:2]:
            found = find_sites(rows, HOWS[name], seed=seed)
            covered = effects_covered(found.estimates)
            ends = slope_interval(found.estimates, seed)
            answers.append(self._row(name, found.estimates.n_rows, ends, covered))
        if others:
            repeated = repeat_sites(rows, CausalTree(), splits=SPLITS, seed=seed)
            each = np.array([slope_interval(f.estimates, seed) for f in repeated.found])
            low, high = median_interval(each[:, 0], each[:, 1])
            ends = [float(low), float(high), float(np.median(each[:, 2]))]
            answers.append(self._row("honest tree, combined", 0, ends, [np.nan, np.nan]))
        return answers

    def _row(self, way: str, sites: int, ends: list[float], covered: list[float]) -> Row:
        low, high, middle = ends
        return {
            "design": self.design,
            "way": way,
            "sites": sites,
            "mediator": covered[0],
            "outcome": covered[1],
            "slope": float(low < SLOPE < high),
            "median": middle,
            "width": high - low,
        }


def summarised(each: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row per design, way and quantity."""
    rows = []
    for (design, way), own in each.groupby(["design", "way"], sort=False):
        for column, quantity in zip(("mediator", "outcome", "slope"), QUANTITIES, strict=True):
            covers = own[column].to_numpy(dtype=float)
            if np.isnan(covers).all():
                continue
            row = {
                "design": design,
                "way": way,
                "quantity": quantity,
                "replicates": len(own),
                "covers": float(covers.mean()),
                "covers_error": float(covers.std(ddof=1) / np.sqrt(len(own))),
            }
            if quantity == "slope":
                away = own["median"] - SLOPE
                row["sites"] = float(own["sites"].mean())
                row["bias"] = float(away.mean())
                row["bias_error"] = float(away.std() / np.sqrt(len(own)))
                row["rmse"] = float(np.sqrt((away**2).mean()))
                row["median_width"] = float(own["width"].median())
            rows.append(row)
    return rows


def page(rows: list[dict[str, Any]], job_corps: dict[str, Any]) -> str:
    """Return the page of the documentation about sites found in the data."""
    return PAGE.format(coverage=_coverage(rows), **job_corps_tables(job_corps))


def _coverage(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"| trials | sites | {' | '.join(QUANTITIES)} | bias of the slope | width | trials run |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    by = {(r["design"], r["way"], r["quantity"]): r for r in rows}
    for design, way in dict.fromkeys((r["design"], r["way"]) for r in rows):
        cells = []
        for quantity in QUANTITIES:
            own = by.get((design, way, quantity))
            cells.append(f"{own['covers']:.3f} ± {own['covers_error']:.3f}" if own else "")
        slope = by[design, way, "slope"]
        # A bias that rounds to 0 has no sign.
        cells.append(f"{round(slope['bias'], 2) + 0.0:.2f} ± {slope['bias_error']:.2f}")
        cells += [f"{slope['median_width']:.2f}", f"{slope['replicates']:,}"]
        lines.append(f"| {' | '.join([design, way, *cells])} |")
    return "\n".join(lines)


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--out", type=Path, default=STORED)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        rows = json.loads(given.out.read_text())["rows"]
        TABLE.write_text(page(rows, json.loads(JOB_CORPS.read_text())), encoding="utf-8")
        return
    trials = [Trial(name, b) for name in DESIGNS for b in range(given.replicates)]
    result = run_study(trials, seed=SEED, store=given.store, workers=given.workers)
    record = {
        "seed": SEED,
        "slope": SLOPE,
        "versions": provenance.versions(),
        "failed": len(result.failures()),
        "rows": summarised(result.table()),
    }
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
