"""What checks say, and what estimates do, where an assumption holds and where it fails.

    python -m tests.calibration.assumptions [--replicates 100] [--only NAME] [--out FILE]
    python -m tests.calibration.assumptions --table   # writes docs/checks.md of what is stored

Thirty sites are drawn from the population of a model, or from one that breaks one of its
assumptions at three strengths, and the model is fitted with its default priors. One
row per assumption and strength: in which share of data sets each check is doubtful (false alarms
where the strength is 0, power elsewhere), and bias, root mean squared error and coverage of the
average slope, with Monte Carlo errors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.checks.agreement import overidentification, pooled_wald_agrees
from bayesmed.checks.scatter import scatter_of_sites
from bayesmed.core import provenance
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit
from tests.calibration.cell_assumptions import CHECKS as CELL_CHECKS
from tests.calibration.variants import Design, simulate

STORED = Path(__file__).with_name("assumptions.json")
CELLS = Path(__file__).with_name("cell_assumptions.json")
FAILURES = Path(__file__).with_name("known_failures.json")
SEEN = 0.1
NAMES = {"covers": "coverage", "median_bias": "median bias", "median_error": "median error"}
TABLE = Path(__file__).parents[2] / "docs" / "checks.md"
SITES, SEED = 30, 20261124
SAMPLER = Sampler(draws=1000, tune=500, chains=1, cores=1, target_accept=0.95)
CHECKS = (
    "curvature",
    "fan",
    "precision",
    "normal_effects",
    "overidentification",
    "pooled_wald",
)


@dataclass(frozen=True)
class Assumption:
    """An assumption of a model, and populations that break it ever more."""

    words: str
    holds: Design
    strengths: tuple[float, ...]
    broken: str
    """The field of the population that the strength is the value of."""
    others: dict[str, float] = field(default_factory=dict)
    """Further fields where it is broken."""

    def at(self, strength: float) -> Design:
        """Return the population at a strength, 0 being that of the model."""
        if not strength or self.broken == "precision":
            return self.holds
        return replace(self.holds, **{self.broken: strength}, **self.others)


_WITH = Design(SiteSlope())
_WITHOUT = Design(SiteSlope(direct_effect=False), direct_mean=0.0, direct_sd=0.0)
ASSUMPTIONS = {
    "slopes unrelated to mediator effects": Assumption(
        "Cov(γ, δ) = 0 (Reardon and Raudenbush vii)", _WITH, (0.1, 0.2, 0.4), "linear"
    ),
    "one slope": Assumption("σ_δ = 0", _WITH, (0.25, 0.5, 1.0), "slope_sd"),
    "direct effects unrelated to mediator effects": Assumption(
        "Cov(γ, θ) = 0 (Fu A1)", _WITH, (0.2, 0.4, 0.6), "correlation"
    ),
    "sampling errors unrelated to mediator effects": Assumption(
        "V unrelated to γ (Fu A2)", _WITH, (0.5, 1.0, 2.0), "precision"
    ),
    "normal direct effects": Assumption("θ normal", _WITH, (5.0, 3.0, 2.0), "dof"),
    "no direct effects, equal ones": Assumption(
        "exclusion, or κ = 0 (Reardon and Raudenbush ii, vi): μ_θ",
        _WITHOUT,
        (0.1, 0.2, 0.4),
        "direct_mean",
    ),
    "no direct effects, varying ones": Assumption(
        "exclusion (Reardon and Raudenbush ii): σ_θ", _WITHOUT, (0.1, 0.2, 0.4), "direct_sd"
    ),
    "one slope, no direct effects": Assumption(
        "σ_δ = 0, no direct effects", _WITHOUT, (0.1, 0.2, 0.4), "slope_sd"
    ),
    "slopes unrelated to mediator effects, no direct effects": Assumption(
        "Cov(γ, δ) = 0, no direct effects", _WITHOUT, (0.1, 0.2, 0.4), "linear"
    ),
}


def related_to_precision(data: SiteEstimates, strength: float, slope: float) -> SiteEstimates:
    """Move mediator effects, and what follows from them, up where their errors are large."""
    size = data.mediator_se[:, 0]
    shift = strength * (size - size.mean()) / size.std()
    return SiteEstimates.from_arrays(
        mediator_effect=data.mediator_effect + shift[:, None],
        total_effect=data.total_effect + slope * shift,
        cov=data.cov,
    )


def replicate(name: str, strength: float, number: int) -> dict[str, Any]:
    """Return the statuses of checks, and mean and interval of the average slope less the truth."""
    assumption = ASSUMPTIONS[name]
    key = (list(ASSUMPTIONS).index(name), int(1000 * strength), number)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
    design = assumption.at(strength)
    data, truth = simulate(design, SITES, rng)
    if assumption.broken == "precision" and strength:
        data = related_to_precision(data, strength, design.slope[0])
    found = fit(design.model, data, sampler=SAMPLER, seed=int(rng.integers(2**31)))
    values = found.tree["posterior"]["slope"].values.ravel() - truth["average_slope 1"]
    low, high = np.quantile(values, [0.025, 0.975])
    looked = [*scatter_of_sites(found), *overidentification(found), *pooled_wald_agrees(found)]
    doubtful = [result.code for result in looked if result.status == "doubtful"]
    return {"mean": values.mean(), "covers": low <= 0 <= high, "doubtful": doubtful}


def cell(given: tuple[str, float, int]) -> list[dict[str, Any]]:
    """Return all replicates at one strength."""
    name, strength, replicates = given
    return [replicate(name, strength, i) for i in range(replicates)]


def rows_of(name: str, replicates: int, workers: Executor) -> Iterator[dict[str, Any]]:
    """Summarise an assumption at every strength."""
    assumption = ASSUMPTIONS[name]
    strengths = (0.0, *assumption.strengths)
    cells = workers.map(cell, [(name, strength, replicates) for strength in strengths])
    for strength, found in zip(strengths, cells, strict=True):
        alarms = Counter(code for one in found for code in one["doubtful"])
        away = np.array([one["mean"] for one in found])
        covers = float(np.mean([one["covers"] for one in found]))
        yield {
            "name": name,
            "assumption": assumption.words,
            "strength": strength,
            "sites": SITES,
            "replicates": replicates,
            "doubtful": {code: alarms[code] / replicates for code in CHECKS if _has(name, code)},
            "bias": float(away.mean()),
            "bias_error": float(away.std() / np.sqrt(replicates)),
            "rmse": float(np.sqrt(np.mean(away**2))),
            "covers": covers,
            "covers_error": float(np.sqrt(covers * (1 - covers) / replicates)),
        }


def _has(name: str, code: str) -> bool:
    """Whether the model of an assumption has a check."""
    through_origin = not ASSUMPTIONS[name].holds.model.direct_effect
    return through_origin or code not in ("overidentification", "pooled_wald")


PAGE = """# What checks find, and what they cannot

Written by `python -m tests.calibration.assumptions --table` from the studies it and
`tests.calibration.cell_assumptions` store (`make calibration` repeats them).

## Sites

Share of {sites_n} simulated data sets of {sites} sites in which each check is doubtful, in per
cent: false alarms where the strength is 0, power elsewhere. Beside it bias, root mean squared error
and coverage of the 95 % interval of the average slope of the population. Monte Carlo errors are
{small:.0f} point at 5 % and {large:.0f} at 50 %. Checks that a model does not have are left empty.

{site_table}

False alarms, all data sets in which nothing fails together:

{alarm_table}

## Cells

Share of {cells_n} simulated trials of {persons} persons in which each check is doubtful, in per
cent. Beside it what instrumental variables make of the natural indirect effect under treatment:
median bias, median absolute error (ratios have no mean) and coverage of the 95 % interval.

{cell_table}

## What a sensitivity study mends

{failures_n} data sets in which one assumption fails by a known amount, fitted as if it held, and
with the amount held at what it is: the point of the sensitivity curve
(`bm.assumption_sensitivity`) where the truth lies. Bias with its Monte Carlo error and coverage of
the 95 % interval; last, in which share of the first fits a check is doubtful, where that is more
than one in ten.

{failure_table}
"""


def page(
    rows: list[dict[str, Any]], cells: list[dict[str, Any]], failures: list[dict[str, Any]]
) -> str:
    """Return the stored studies as a page of Markdown."""
    n = min(row["replicates"] for row in rows)
    return PAGE.format(
        sites_n=n,
        sites=SITES,
        small=100 * np.sqrt(0.05 * 0.95 / n),
        large=100 * np.sqrt(0.25 / n),
        site_table=_table(rows, CHECKS, ("bias", "rmse", "covers")),
        alarm_table=_alarms(rows),
        cells_n=min(row["replicates"] for row in cells),
        persons=f"{cells[0]['persons']:,}",
        cell_table=_table(cells, CELL_CHECKS, ("median_bias", "median_error", "covers")),
        failures_n=min(row["replicates"] for row in failures),
        failure_table=_failures(failures),
    )


def _failures(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| what fails | of | bias, ignored | covers | bias, held | covers | doubtful |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        cells = [row["assumption"], row["quantity"]]
        for label in ("ignored", "held"):
            own = row[label]
            # A bias that rounds to 0 has no sign.
            cells.append(f"{round(own['bias'], 2) + 0.0:.2f} ± {own['bias_error']:.2f}")
            cells.append(f"{own['covers']:.2f}")
        alarms = [f"{c} {100 * x:.0f} %" for c, x in row["doubtful"].items() if x > SEEN]
        lines.append(f"| {' | '.join([*cells, ', '.join(alarms) or 'none'])} |")
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]], checks: Sequence[str], numbers: Sequence[str]) -> str:
    named = [NAMES.get(name, name) for name in numbers]
    lines = [
        f"| assumption | strength | {' | '.join((*checks, *named))} |",
        f"| --- | ---: |{' ---: |' * (len(checks) + len(named))}",
    ]
    for row in rows:
        shares = [row["doubtful"].get(code) for code in checks]
        alarms = ["" if share is None else f"{100 * share:.0f}" for share in shares]
        words = row["assumption"] if not row["strength"] else ""
        # A bias that rounds to 0 has no sign.
        values = [f"{round(row[k], 2) + 0.0:.2f}" for k in numbers]
        lines.append(f"| {' | '.join([words, f'{row["strength"]:g}', *alarms, *values])} |")
    return "\n".join(lines)


def pooled(rows: list[dict[str, Any]]) -> dict[bool, tuple[int, dict[str, float]]]:
    """Return data sets, and the share of false alarms of each check, by model."""
    found = {}
    for origin in (False, True):
        own = [
            row
            for row in rows
            if not row["strength"] and ("overidentification" in row["doubtful"]) is origin
        ]
        n = sum(row["replicates"] for row in own)
        found[origin] = (
            n,
            {
                code: sum(row["doubtful"][code] * row["replicates"] for row in own) / n
                for code in own[0]["doubtful"]
            },
        )
    return found


def _alarms(rows: list[dict[str, Any]]) -> str:
    lines = [f"| model | data sets | {' | '.join(CHECKS)} |", f"| --- | ---: |{' ---: |' * 6}"]
    for origin, (n, shares) in pooled(rows).items():
        model = "without direct effects" if origin else "with direct effects"
        cells = [f"{100 * shares[code]:.1f}" if code in shares else "" for code in CHECKS]
        lines.append(f"| {model} | {n} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--only", choices=ASSUMPTIONS, nargs="+")
    parser.add_argument("--out", type=Path, default=STORED)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        both = (json.loads(path.read_text())["rows"] for path in (given.out, CELLS, FAILURES))
        TABLE.write_text(page(*both))
        return
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        if given.only and given.out.exists():
            kept = json.loads(given.out.read_text())["rows"]
            rows = [row for row in kept if row["name"] not in given.only]
        for name in given.only or ASSUMPTIONS:
            started = time.perf_counter()
            rows += rows_of(name, given.replicates, workers)
            print(name, round(time.perf_counter() - started), file=sys.stderr, flush=True)
            rows.sort(key=lambda row: list(ASSUMPTIONS).index(row["name"]))
            record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
            given.out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
