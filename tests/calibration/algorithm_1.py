"""Fu's (2023) Table 1 and departures from Algorithm 1: every estimator beside the posterior.

    python -m tests.calibration.algorithm_1 [--replicates N] [--only ARM ...] [--store FOLDER]

The base arm is Algorithm 1 at 5 to 100 sites, slope 0 (size) and 2 (power), default priors. Further
arms break one assumption each; beside the default model stands the variant made for it. With
``--store`` an interrupted study goes on where it was. The columns of the stored rows are those of
`Simulation.table`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.core import provenance
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteModel, SiteSlope
from bayesmed.priors import Prior
from bayesmed.studies.simulation import TABLE_1, FuDesign, Simulation, design_grid
from bayesmed.studies.simulation import simulate as run
from bayesmed.studies.simulation.design import label

STORED = Path(__file__).with_name("algorithm_1.json")
SEED = 20231111
SITES, SLOPES = (5, 10, 30, 50, 100), (0.0, 2.0)
FEWER = (10, 30, 100)
ANY = Prior("Uniform", lower=-0.8, upper=0.8)


def simulate(n_sites: int, slope: float, rng: np.random.Generator) -> SiteEstimates:
    """Draw one data set of Algorithm 1 (Fu 2023, section 6.1)."""
    return FuDesign(sites=n_sites, slope=slope).draw(rng)


@dataclass(frozen=True)
class Arm:
    """What is drawn, and what it is analysed with."""

    departure: Mapping[str, Any] = field(default_factory=dict)
    sites: tuple[int, ...] = FEWER
    estimators: tuple[str, ...] = ("OLS", "BCES", "SIMEX")
    variants: Mapping[str, SiteModel] = field(default_factory=dict)
    replicates: int = 500

    def designs(self) -> tuple[FuDesign, ...]:
        """Every number of sites with either slope."""
        vary = {"sites": self.sites, "slope": SLOPES}
        vary |= {name: (value,) for name, value in self.departure.items()}
        return design_grid(FuDesign(sites=self.sites[0]), vary)

    def run(self, replicates: int | None = None, store: Path | None = None) -> Simulation:
        """Run the study of this arm on two processes."""
        return run(
            self.designs(),
            replicates=replicates or self.replicates,
            estimators=self.estimators,
            models={"Posterior": SiteSlope(), **self.variants},
            seed=SEED,
            store=store,
            workers=2,
        )


def _related(rho: float) -> Arm:
    variants = {
        "Posterior, correlation known": SiteSlope(correlation=rho),
        "Posterior, correlation with a prior": SiteSlope(correlation=ANY),
    }
    return Arm({"effect_correlation": rho}, variants=variants)


ARMS = {
    "base": Arm(sites=SITES, estimators=TABLE_1, replicates=1000),
    "errors +.5": Arm({"error_correlation": 0.5}),
    "errors -.5": Arm({"error_correlation": -0.5}),
    "errors +.5, not given": Arm({"error_correlation": 0.5, "covariance_given": False}),
    "errors -.5, not given": Arm({"error_correlation": -0.5, "covariance_given": False}),
    "heavy tails": Arm(
        {"mediator_effects": "exponential", "direct_effects": "student_t"},
        variants={"Posterior, Student-t": SiteSlope(direct_effect_distribution="student_t")},
        replicates=300,
    ),
    "random slopes": Arm(
        {"slope_sd": 1.0}, variants={"Posterior, random": SiteSlope(slope="random")}
    ),
    "effects +.5": _related(0.5),
    "effects -.5": _related(-0.5),
}


def rows_of(arm: str, found: Simulation) -> list[dict[str, Any]]:
    """Return the table of one arm as plain values; None stands for what is not defined."""
    if not found.failed.empty:
        raise RuntimeError(f"{arm}: {found.failed['error'].iloc[0]}")
    designs = {label(design): design for design in found.designs}
    rows = []
    for row in found.table().to_dict("records"):
        design = designs[row.pop("design")]
        kept = {k: v for k, v in row.items() if k not in found.varying}
        rows.append({"arm": arm, "sites": design.sites, "slope": design.slope, **kept})
    return [{key: _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value


def processor_seconds() -> float:
    """Return what this process and the workers that have ended used: load does not change it."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Run the arms and store their table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, help="instead of each arm's own number")
    parser.add_argument("--only", choices=list(ARMS), nargs="+")
    parser.add_argument("--store", type=Path, help="folder for the files of unfinished studies")
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    record = json.loads(given.out.read_text()) if given.only and given.out.exists() else {}
    rows, seconds = record.get("rows", []), record.get("processor_seconds", {})
    if given.store:
        given.store.mkdir(exist_ok=True)
    for name in given.only or ARMS:
        began = processor_seconds()
        store = given.store / f"{list(ARMS).index(name)}.duckdb" if given.store else None
        found = ARMS[name].run(given.replicates, store)
        seconds[name] = round(processor_seconds() - began)
        print(f"{name}: {seconds[name]} processor seconds", file=sys.stderr, flush=True)
        rows = [row for row in rows if row["arm"] != name] + rows_of(name, found)
        rows.sort(key=lambda row: list(ARMS).index(row["arm"]))
        record = {
            "design": "Fu (2023), Algorithm 1",
            "seed": SEED,
            "versions": provenance.versions(),
            "processor_seconds": seconds,
            "rows": rows,
        }
        given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
