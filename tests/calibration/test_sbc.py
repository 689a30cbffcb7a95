"""Stored simulation-based calibration: every variant, judged once more from its counts."""

import numpy as np

from tests.calibration.sbc import PAGE_FILE, judged, page, stored
from tests.calibration.sbc_variants import VARIANTS

RECORDS = stored()


def test_every_variant_was_run_on_a_thousand_data_sets() -> None:
    assert list(RECORDS) == list(VARIANTS)
    for name, record in RECORDS.items():
        assert record["replicates"] + record["failed"] >= 1000, name
        assert record["failed"] <= 2, name
        assert {"bayesmed", "pymc", "nutpie"} <= set(record["versions"]), name
        # Mixtures of a few persons have corners that so short a tuning does not get used to.
        assert 0 <= record["divergent"] < (0.5 if "mixture" in name else 0.25), name


def test_counts_are_those_of_the_replicates_and_of_the_parameters() -> None:
    for name, record in RECORDS.items():
        bases = {key.split("[", 1)[0] for key in record["counts"]}
        assert set(VARIANTS[name].with_priors().priors) <= bases | {"correlation"}, name
        assert "log_likelihood" in bases, name
        for key, counts in record["counts"].items():
            assert len(counts) == 101, (name, key)
            assert 0 < sum(counts) <= record["replicates"], (name, key)


def test_no_quantity_leaves_the_band_by_more_than_chance() -> None:
    least = {}
    for name, record in RECORDS.items():
        p = judged(record)
        least[name] = min(min(p.values()) * len(p), 1.0)
    # As likely as one in twenty under calibration, whatever the number of variants.
    assert min(least.values()) > 0.05 / len(least), min(least, key=lambda name: least[name])
    every = np.concatenate([list(judged(record).values()) for record in RECORDS.values()])
    assert np.mean(every <= 0.05) < 0.1


def test_the_page_says_what_is_stored() -> None:
    assert PAGE_FILE.read_text() == page(RECORDS)
