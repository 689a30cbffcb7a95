"""The stored coverage of what cells identify."""

import json

import numpy as np
import pytest

from bayesmed.classical import binary_iv
from tests.calibration import principal_strata


def principal_strata_rows():
    rows = json.loads(principal_strata.STORED.read_text())["rows"]
    return {(row["design"], row["quantity"], row["arm"]): row for row in rows}


def studied():
    return sorted({design for design, *_ in principal_strata_rows()})


def test_the_study_of_principal_strata_is_whole():
    rows = principal_strata_rows()
    assert "amount" in studied()
    for name in studied():
        for quantity, exact in principal_strata.truth(name).items():
            for arm, value in enumerate(exact):
                row = rows[name, quantity, arm if exact.size > 1 else ""]
                assert row["replicates"] >= 500
                assert row["truth"] == pytest.approx(value)


def test_what_cells_identify_is_covered():
    for key, row in principal_strata_rows().items():
        assert 0.93 <= row["covers"] <= 0.97, key
        # Not narrower for a prior that knows more than it may.
        assert row["median_width"] > 0.9 * row["median_width_classical"], key


def test_the_replicates_are_those_of_the_stored_study():
    """Coverage of the classical intervals, which need no sampler, comes out the same."""
    for name in studied():
        exact = principal_strata.truth(name)["arm_slope"]
        rows = principal_strata_rows()
        count = rows[name, "arm_slope", 0]["replicates"]
        inside = np.zeros(2)
        for number in range(count):
            found = binary_iv(principal_strata.data_of(name, number)[0])
            low, high = (e["arm_slope"] for e in (found.interval_low, found.interval_high))
            inside += (low <= exact) & (exact <= high)
        for arm in range(2):
            stored = rows[name, "arm_slope", arm]["covers_classical"]
            assert inside[arm] / count == pytest.approx(stored, abs=1e-6)
