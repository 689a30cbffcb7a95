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
from collections.abc import Iterator
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
from tests.calibration.variants import Design, simulate

STORED = Path(__file__).with_name("assumptions.json")
TABLE = Path(__file__).parents[2] / "docs" / "checks.md"
SITES, SEED = 30, 20261124
SAMPLER = Sampler(draws=500, tune=500, chains=2, cores=1, target_accept=0.95)
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


def page(rows: list[dict[str, Any]]) -> str:
    """Return the stored study as a page of Markdown."""
    n = min(row["replicates"] for row in rows)
    worst = 100 * np.sqrt(0.25 / n)
    lines = [
        "# What checks find, and what they cannot",
        "",
        f"Share of {n} simulated data sets of {SITES} sites in which each check is doubtful, in",
        "per cent: false alarms where the strength is 0, power elsewhere. Beside it bias, root",
        "mean squared error and coverage of the 95 % interval of the average slope of the",
        f"population. Monte Carlo errors are 2 points at 5 % and {worst:.0f} at 50 %. Checks that",
        "a model does not have are left empty. `python -m tests.calibration.assumptions` repeats",
        "the study, with `--table` it writes this page.",
        "",
        f"| assumption | strength | {' | '.join(CHECKS)} | bias | rmse | coverage |",
        f"| --- | ---: |{' ---: |' * (len(CHECKS) + 3)}",
    ]
    for row in rows:
        shares = [row["doubtful"].get(code) for code in CHECKS]
        alarms = ["" if share is None else f"{100 * share:.0f}" for share in shares]
        words = row["assumption"] if not row["strength"] else ""
        # A bias that rounds to 0 has no sign.
        numbers = [f"{round(row[k], 2) + 0.0:.2f}" for k in ("bias", "rmse", "covers")]
        cells = [words, f"{row['strength']:g}", *alarms, *numbers]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=100)
    parser.add_argument("--only", choices=ASSUMPTIONS)
    parser.add_argument("--out", type=Path, default=STORED)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        TABLE.write_text(page(json.loads(given.out.read_text())["rows"]))
        return
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        for name in [given.only] if given.only else ASSUMPTIONS:
            started = time.perf_counter()
            rows += rows_of(name, given.replicates, workers)
            print(name, round(time.perf_counter() - started), file=sys.stderr, flush=True)
            record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
            given.out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
