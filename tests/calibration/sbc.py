"""Simulation-based calibration of every model and variant with fixed numeric priors.

    python -m tests.calibration.sbc [--replicates 1000] [--only VARIANT ...] [--store FOLDER]
    python -m tests.calibration.sbc --table   # writes docs/calibration.md of what is stored

Parameters are drawn from the prior, data from the model, and the truth is ranked among 100 draws
of the posterior (`bayesmed.calibrate`). Stored are, for every quantity, how often each rank was
seen, with settings, versions and seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.core import provenance
from bayesmed.formulas.ranks import uniformity_p_value
from bayesmed.report.figures import style
from bayesmed.report.figures.calibration import rank_distributions
from bayesmed.studies.calibration import Calibration, calibrate
from bayesmed.studies.calibration.calibrate import OUTSIDE
from tests.calibration.sbc_variants import VARIANTS

STORED = Path(__file__).with_name("sbc.json")
DOCS = Path(__file__).parents[2] / "docs"
PAGE_FILE, PICTURE = DOCS / "calibration.md", DOCS / "images" / "calibration.png"
SEED = 20261129
PAGE = """# Calibration of every model and variant

Written by `python -m tests.calibration.sbc --table` from the study it stores (`make calibration`
repeats it). Parameters were drawn from fixed priors, data from the model, the model was fitted to
them, and what is true was ranked among 100 draws of the posterior: all parameters, the effects of
the first site and averages over sites (or all effects of one trial), and the log-likelihood. If
priors, likelihood and sampler are one model, every rank is as likely (Talts and others 2018).

Outside: how many of these quantities leave the 95 % simultaneous band of Säilynoja, Bürkner and
Vehtari (2022) somewhere, as one in twenty does by chance; of all {every} quantities below
{outside} do, {share:.1f} %. Quantities of one variant go together. The least p-value of a variant
is multiplied by the number of its quantities; {variants} variants are as good as that if none of
these is below .05 / {variants}.

One chain of 500 draws after 600 per data set (300 after 350 for counts and mixtures), less than the
defaults; default priors, which depend on the data, are judged by coverage instead (README).
Divergent fits are those with at least one divergent transition, for which a user gets a check that
failed; their ranks are counted all the same.

| variant | data sets | quantities | outside | least p times quantities | divergent fits | failed |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
{left}

![For every variant the distributions of ranks less the uniform one, and their
band.](images/calibration.png)
"""


def study(name: str, replicates: int, seed: int, store: Path | None, workers: int) -> Calibration:
    """Calibrate one variant."""
    variant = VARIANTS[name]
    return calibrate(
        variant.with_priors(),
        variant.like(),
        replicates=replicates,
        sampler=variant.sampler,
        seed=seed,
        store=store,
        workers=workers,
    )


def record_of(name: str, found: Calibration, seconds: float) -> dict[str, Any]:
    """Return what is stored of a variant."""
    sampler = {k: v for k, v in asdict(VARIANTS[name].sampler).items() if v is not None}
    return {
        "seed": found.seed,
        "sampler": sampler,
        "versions": provenance.versions(),
        "seconds": round(seconds),
        "replicates": int(found.ranks["replicate"].nunique()),
        "failed": len(found.failed),
        "divergent": found.divergent,
        "counts": {q: found.counts(q).tolist() for q in dict.fromkeys(found.ranks["quantity"])},
    }


def stored(path: Path = STORED) -> dict[str, Any]:
    """Return the records by variant."""
    records: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return records


def write(records: dict[str, Any], path: Path) -> None:
    """Write the records in the order of the variants, a line for each list of counts."""
    ordered = {name: records[name] for name in VARIANTS if name in records}
    text = json.dumps(ordered, indent=1, ensure_ascii=False)
    lines, inside = [], False
    for line in text.splitlines():
        if inside:
            lines[-1] += line.strip()
        else:
            lines.append(line)
        inside = (inside or line.endswith("[")) and not line.strip().startswith("]")
    path.write_text("\n".join(lines) + "\n")


def judged(record: dict[str, Any]) -> dict[str, float]:
    """Return the p-value of every quantity of a variant from its stored counts."""
    return {
        name: float(uniformity_p_value(np.array(counts)))
        for name, counts in record["counts"].items()
    }


def page(records: dict[str, Any]) -> str:
    """Return the page of documentation that says what is stored."""
    rows = []
    for name, record in records.items():
        p = judged(record)
        least = min(p, key=lambda key: p[key])
        rows.append(
            f"| {name} | {record['replicates']} | {len(p)} | "
            f"{sum(value <= OUTSIDE for value in p.values())} | {_p(p[least] * len(p))} "
            f"({least}) | {100 * record['divergent']:.1f} % | {record['failed']} |"
        )
    left = [name for name in VARIANTS if name not in records]
    every = [value for record in records.values() for value in judged(record).values()]
    outside = sum(value <= OUTSIDE for value in every)
    return PAGE.format(
        rows="\n".join(rows),
        every=len(every),
        outside=outside,
        share=100 * outside / len(every),
        variants=len(records),
        left=f"\nNot run yet: {', '.join(left)}.\n" if left else "",
    )


def _p(value: float) -> str:
    return "1" if value >= 1 else f"{value:.3f}".lstrip("0")


def draw(records: dict[str, Any], path: Path) -> None:
    """Draw all distributions of ranks."""
    panels = {
        name: {key: np.array(own) for key, own in record["counts"].items()}
        for name, record in records.items()
    }
    with style.drawing():
        rank_distributions(panels).savefig(path, dpi=70, facecolor="white")


def main() -> None:
    """Run the study, and store each variant as it ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--only", choices=list(VARIANTS), nargs="+")
    parser.add_argument("--store", type=Path, help="folder for the files of unfinished studies")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=STORED)
    parser.add_argument("--table", action="store_true", help="write the page of what is stored")
    given = parser.parse_args()
    if given.table:
        PAGE_FILE.write_text(page(stored(given.out)))
        draw(stored(given.out), PICTURE)
        return
    if given.store:
        given.store.mkdir(exist_ok=True)
    for name in given.only or VARIANTS:
        store = given.store / f"{list(VARIANTS).index(name)}.duckdb" if given.store else None
        began = time.perf_counter()
        found = study(name, given.replicates, given.seed, store, given.workers)
        record = record_of(name, found, time.perf_counter() - began)
        write({**stored(given.out), name: record}, given.out)
        worst = found.table().nsmallest(3, "p_value")[["quantity", "p_value"]].to_dict("list")
        said = {k: v for k, v in record.items() if k in ("seconds", "failed", "divergent")}
        print(json.dumps({"variant": name, **said, **worst}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
