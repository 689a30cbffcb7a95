"""Pictures of what checks compared."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmed.checks import CheckResult, check
from bayesmed.report.check_pictures import check_pictures
from bayesmed.report.figures import style
from tests.variants import variant_fit


def result(code: str, status: str, observed: float) -> CheckResult:
    replicated = np.random.default_rng(1).normal(size=500)
    arrays = xr.Dataset({"observed": observed, "replicated": ("replicate", replicated)})
    return CheckResult(code, code, status, "Why.", 0.5, arrays=arrays)  # type: ignore[arg-type]


def test_checks_without_replicates_make_no_picture() -> None:
    assert check_pictures([CheckResult("r_hat", "Chains agree", "passed", "Yes.")]) == []


def test_every_check_has_a_panel_with_the_data_in_it() -> None:
    found = [result("curvature", "passed", 0.3), result("fan", "doubtful", 9.0)]
    (picture,) = check_pictures(found)
    assert "far out: fan" in picture.alternative
    assert "rank" not in picture.caption
    figure = picture.draw()
    for axes, one in zip(figure.axes, found, strict=False):
        at = float(one.arrays["observed"])
        (line,) = [line for line in axes.lines if line.get_xdata()[0] == at]
        assert (line.get_color() == style.ESTIMATE) == (one.status == "doubtful")
        low, high = axes.get_xlim()
        assert low < at < high


def test_numbers_that_are_all_alike_or_missing_can_be_drawn() -> None:
    arrays = xr.Dataset({"observed": 1.0, "replicated": ("replicate", np.full(3, np.nan))})
    same = CheckResult("fan", "Fan", "passed", "Why.", arrays=arrays)
    assert check_pictures([same])[0].draw().axes


def test_a_fit_of_several_mediators_says_how_to_read_rank() -> None:
    (picture,) = check_pictures(check(variant_fit("two mediators")))
    assert "the other way round" in picture.caption
