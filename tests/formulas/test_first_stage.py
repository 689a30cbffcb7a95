"""Effective F and its critical values: special cases, published numbers, invariance."""

import numpy as np
import pytest
from scipy.stats import ncx2

from bayesmed.formulas.first_stage import (
    STOCK_YOGO,
    effective_df,
    effective_f,
    effective_f_critical,
    partial_f,
)


def test_one_variance_makes_it_the_partial_f() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3))
    m = z @ [0.3, -0.2, 0.1] + rng.normal(size=60)
    products = z.T @ z
    beta = np.linalg.solve(products, z.T @ m)
    error = float((m - z @ beta) @ (m - z @ beta))
    cov = error / 57 * np.linalg.inv(products)
    f = partial_f(float(beta @ products @ beta), error, 3, 57)
    assert effective_f(beta, products, cov) == pytest.approx(f, rel=1e-12)
    assert effective_df(products, cov) == pytest.approx(3, rel=1e-12)


def test_it_does_not_depend_on_how_instruments_are_written() -> None:
    rng = np.random.default_rng(2)
    half = rng.normal(size=(3, 8))
    products, beta = np.eye(3) + half @ half.T, rng.normal(size=3)
    spread = rng.normal(size=(3, 5))
    cov, change = spread @ spread.T, rng.normal(size=(3, 3))
    inverse = np.linalg.inv(change)
    moved = (inverse @ beta, change.T @ products @ change, inverse @ cov @ inverse.T)
    assert effective_f(*moved) == pytest.approx(effective_f(beta, products, cov), rel=1e-9)
    plain = effective_df(products, cov)
    assert effective_df(*moved[1:]) == pytest.approx(plain, rel=1e-9)
    assert 1 < plain < 3


def test_one_direction_that_varies_alone_counts_as_one_instrument() -> None:
    assert effective_df(np.eye(3), np.diag([1.0, 1e-9, 1e-9])) == pytest.approx(1, abs=1e-6)


# Montiel Olea and Pflueger (2013), Table 1, level .05: K_eff = 1 and bias 5, 10, 20, 30 %.
@pytest.mark.parametrize(
    ("bias", "critical"), [(0.05, 37.42), (0.1, 23.11), (0.2, 15.06), (0.3, 12.05)]
)
def test_critical_values_are_the_published_ones(bias: float, critical: float) -> None:
    assert effective_f_critical(1.0, bias) == pytest.approx(critical, abs=0.006)


@pytest.mark.parametrize("df", [1.0, 1.7, 4.0, 12.0])
def test_critical_values_are_quantiles(df: float) -> None:
    assert effective_f_critical(df) == pytest.approx(ncx2.ppf(0.95, df, 10 * df) / df, rel=1e-6)


def test_tabulated_values_rise() -> None:
    values = [STOCK_YOGO[k] for k in sorted(STOCK_YOGO)]
    assert values == sorted(values)
    assert sorted(STOCK_YOGO) == [1, 2, 3, 5, 10, 15]
