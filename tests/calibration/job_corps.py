"""Job Corps from rows to an answer, by the recipe of the published package and by this one.

    python -m tests.calibration.job_corps [--splits 40] [--out FILE]

The recipe (Fu 2023, section 6.3): leaves of one causal tree for the effect on the mediator, effects
estimated in them, and least squares, SIMEX and BCES as the R package mechte computes them, without
the covariance of the two estimates. The paper does not say that the tree was grown on other persons
than those in its leaves. Beside it: an honest tree, strata of cross-fitted propensities to comply,
the posterior of each, and both once more over many random splits. Slopes are dollars a week in the
fourth year for being in training in the first.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.core import provenance
from bayesmed.data import PersonRows, RowColumns, SiteEstimates
from bayesmed.effects import compare
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit
from bayesmed.report.figures import save_png
from bayesmed.report.subgroups import tree_picture
from bayesmed.studies.sensitivity import split_sensitivity
from bayesmed.subgroups import (
    CausalTree,
    CompliancePropensity,
    RepeatedSites,
    find_sites,
    repeat_sites,
)

__all__ = ["STORED", "job_corps_tables", "persons", "study"]

STORED = Path(__file__).with_name("job_corps.json")
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "job_corps_tree.png"
ROWS = Path(__file__).parents[1] / "data" / "tables" / "jobcorps_rows.csv"
BASELINE = ("female", "age", "educ", "black", "hsdegree", "haschild", "everwkd")
SEED = 1
ESTIMATORS = ("OLS", "SIMEX (published form)", "BCES (published form)", "SIMEX", "Posterior")
WAYS = {
    "tree, the same persons twice": CausalTree(honest=False),
    "honest tree": CausalTree(),
    "strata of compliance": CompliancePropensity(),
}
REPEATED = ("honest tree", "strata of compliance")


def persons() -> PersonRows:
    """Return the rows, with what was known before the offer as what may tell persons apart."""
    return PersonRows.read(ROWS, RowColumns("assignment", ("trainy1",), "earny4", site=BASELINE))


def estimated(sites: SiteEstimates) -> list[dict[str, Any]]:
    """Return the slope by every estimator."""
    fitted = fit(SiteSlope(), sites, sampler=Sampler(engine="exact"), seed=SEED)
    table = compare(fitted).table().set_index("estimator").loc[list(ESTIMATORS)]
    keys = ["slope", "low", "high"]
    return [{"estimator": name, **row} for name, row in table[keys].iterrows()]


def repeated_rows(way: str, repeated: RepeatedSites) -> dict[str, Any]:
    """Return the answer over all splits, and how far apart they are."""
    found = split_sensitivity(repeated, seed=SEED)
    row = found.combined().query("quantity == 'slope'").iloc[0]
    used = repeated.columns_used()
    return {
        "way": way,
        "splits": int(row["splits"]),
        **{key: float(row[key]) for key in ("q50", "q2.5", "q97.5", "lowest", "highest")},
        "share_positive": float(row["share_positive"]),
        "share_excluding_0": float(row["share_excluding_0"]),
        "columns_used": {str(name): float(share) for name, share in used.items()},
    }


def study(splits: int) -> dict[str, Any]:
    """Return every way by every estimator in one split, and the ways over many splits."""
    rows = persons()
    one, sites = [], {}
    for way, how in WAYS.items():
        found = find_sites(rows, how, seed=SEED).estimates
        sites[way] = list(found.site)
        one += [{"way": way, **row} for row in estimated(found)]
    many = [
        repeated_rows(way, repeat_sites(rows, WAYS[way], splits=splits, seed=SEED))
        for way in REPEATED
    ]
    return {"one_split": one, "sites": sites, "many_splits": many}


def draw() -> None:
    """Draw the honest tree for the page."""
    (picture,) = tree_picture(find_sites(persons(), WAYS["honest tree"], seed=SEED))
    save_png(picture.draw(), PICTURE, dpi=110)


def job_corps_tables(stored: dict[str, Any]) -> dict[str, str]:
    """Return the tables of the page: one split by estimator, and many splits."""
    lines = [f"| sites | {' | '.join(ESTIMATORS)} |", "| --- |" + " ---: |" * len(ESTIMATORS)]
    for way in WAYS:
        own = {r["estimator"]: r for r in stored["one_split"] if r["way"] == way}
        cells = [f"{r['slope']:.0f} ({_end(r['low'])} to {_end(r['high'])})" for r in own.values()]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    heading = "| sites | splits | posterior over all | medians of single splits | above 0 "
    many = [f"{heading}| interval excludes 0 |", "| --- |" + " ---: |" * 5]
    many += [
        f"| {r['way']} | {r['splits']} | {r['q50']:.0f} ({r['q2.5']:.0f} to {r['q97.5']:.0f}) "
        f"| {r['lowest']:.0f} to {r['highest']:.0f} | {100 * r['share_positive']:.0f} % "
        f"| {100 * r['share_excluding_0']:.0f} % |"
        for r in stored["many_splits"]
    ]
    used = next(r["columns_used"] for r in stored["many_splits"] if r["columns_used"])
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in used.items())
    return {"one_split": "\n".join(lines), "many_splits": "\n".join(many), "columns": shares}


def _end(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else "–"


def main() -> None:
    """Run the study and store it with versions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=40)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    record = {"seed": SEED, "versions": provenance.versions(), **study(given.splits)}
    given.out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    draw()


if __name__ == "__main__":
    main()
