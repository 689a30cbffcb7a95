"""Twenty seeds with default settings on every shipped table: does any run fail to converge?

    python -m tests.calibration.seeds [--seeds 20] [--out FILE]

Stores, for each table, the number of divergences and the worst R-hat, effective sample sizes and
energy fraction over all seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from bayesmed.core import provenance
from bayesmed.data import MediatorColumns, SiteColumns, SiteEstimates, load_dataset
from bayesmed.generative import SiteSlope
from bayesmed.inference import fit
from bayesmed.inference.convergence import diagnose

STORED = Path(__file__).with_name("seeds.json")


def tables() -> Iterator[tuple[str, SiteEstimates]]:
    """Every shipped table; the Colombian one pair of mediator and outcome by pair."""
    usual = SiteColumns(
        (MediatorColumns("mediator", "gamma_hat", se="gamma_se", cov="cov"),),
        total_effect="tau_hat",
        total_effect_se="tau_se",
    )
    example = SiteColumns(
        (MediatorColumns("mediator", "gamma_hat", se="sd_u"),),
        total_effect="tau_hat",
        total_effect_se="sd_v",
    )
    yield "mechte_example", SiteEstimates.from_frame(load_dataset("mechte_example"), example)
    yield "berkey1998", SiteEstimates.from_frame(load_dataset("berkey1998"), usual)
    pairs = load_dataset("colombia_vouchers").groupby(["mediator", "outcome"], sort=False)
    for (mediator, outcome), frame in pairs:
        name = f"colombia_vouchers {mediator} {outcome}"
        yield name, SiteEstimates.from_frame(frame.reset_index(drop=True), usual)


def study(seeds: int) -> list[dict[str, float | str]]:
    """Fit every table with every seed and keep the worst of each diagnostic."""
    rows = []
    for name, data in tables():
        worst: dict[str, float] = {}
        for seed in range(1, seeds + 1):
            for d in diagnose(fit(SiteSlope(), data, seed=seed).tree):
                worse = max if d.code in ("divergences", "r_hat") else min
                worst[d.code] = worse(worst.get(d.code, d.value), d.value)
        rows.append({"table": name, "sites": data.n_rows, "seeds": seeds, **worst})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Run the study and store its table with versions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    record = {"versions": provenance.versions(), "rows": study(given.seeds)}
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
