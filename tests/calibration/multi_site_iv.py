"""Two-stage least squares and the multi-site IV posterior on simulated trials of 50 sites.

    python -m tests.calibration.multi_site_iv [--replicates 200] [--only ROW ...] [--store FOLDER]

`ReardonDesign`: persons whose mediator is confounded, average slope 1. The model is given the
persons' moments: with covariances of their own,
sites with steeper slopes have more variable outcomes, count less, and pull the average slope down
(200 replicates of the first two designs: .951 and .951). One row per design and estimator:
two-stage least squares with site-by-treatment instruments (here the regression through the origin:
its weights n p(1 − p) are equal); the posterior of `MultiSiteIV()`, to which the covariance of
persons is a parameter; and that with ``compliance_correlation`` where slopes go with mediator
effects.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from bayesmed.core import provenance
from bayesmed.generative import MultiSiteIV, SiteModel
from bayesmed.studies.simulation import ReardonDesign, Simulation, simulate

STORED = Path(__file__).with_name("multi_site_iv.json")
SEED = 20261122
TWO_STAGE = "two-stage least squares"


class Case(NamedTuple):
    """A row of the table; ``two_stage`` is the mean of 2SLS that was published for it."""

    design: ReardonDesign
    two_stage: float

    @property
    def related(self) -> bool:
        """Whether slopes go with mediator effects."""
        return self.design.compliance_correlation != 0


def _many(correlation: float) -> ReardonDesign:
    return ReardonDesign(slope_sd=0.5, compliance_correlation=correlation)


def _equal(persons: int) -> ReardonDesign:
    return ReardonDesign(persons=persons, mediator_effect_mean=0.3, mediator_effect_sd=0.15)


DESIGNS = {
    "200, corr +.5": Case(_many(0.5), 1.21),
    "200, corr -.5": Case(_many(-0.5), 0.83),
    "200": Case(_many(0.0), 1.02),
    "60": Case(_equal(60), 1.19),
    "20": Case(_equal(20), 1.33),
}


def study(name: str, replicates: int, store: Path | None = None) -> Simulation:
    """Run one row of the table on two processes."""
    case = DESIGNS[name]
    models: dict[str, SiteModel] = {"posterior": MultiSiteIV()}
    if case.related:
        models["posterior, compliance correlation"] = MultiSiteIV(compliance_correlation=True)
    return simulate(
        case.design,
        replicates=replicates,
        estimators=("OLS",),
        models=models,
        intercept=False,
        seed=SEED,
        store=store,
        workers=2,
    )


def rows_of(name: str, found: Simulation) -> list[dict[str, Any]]:
    """Return the table of one design as plain values."""
    if not found.failed.empty:
        raise RuntimeError(f"{name}: {found.failed['error'].iloc[0]}")
    rows = []
    for row in found.table().to_dict("records"):
        least_squares = row["estimator"] == "OLS"
        kept: dict[str, Any] = {
            "design": name,
            "estimator": TWO_STAGE if least_squares else row["estimator"],
            "replicates": row["replicates"],
            "mean": row["truth"] + row["bias"],
            "mean_error": row["bias_error"],
            "rmse": row["rmse"],
        }
        if not least_squares:
            more = ("covers", "covers_error", "median_width", "fits_with_divergences")
            kept |= {key: row[key] for key in more}
        rows.append(kept)
    return rows


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--only", choices=list(DESIGNS), nargs="+")
    parser.add_argument("--store", type=Path, help="folder for the files of unfinished studies")
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    if given.only and given.out.exists():
        kept = json.loads(given.out.read_text())["rows"]
        rows = [row for row in kept if row["design"] not in given.only]
    if given.store:
        given.store.mkdir(exist_ok=True)
    for name in given.only or DESIGNS:
        store = given.store / f"{list(DESIGNS).index(name)}.duckdb" if given.store else None
        rows += rows_of(name, study(name, given.replicates, store))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        rows.sort(key=lambda row: list(DESIGNS).index(row["design"]))
        record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
        given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
