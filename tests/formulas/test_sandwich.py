"""White's covariance against statsmodels."""

import numpy as np
import statsmodels.api as sm

from bayesmed.formulas.sandwich import sandwich


def test_it_is_hc0() -> None:
    rng = np.random.default_rng(1)
    x = sm.add_constant(rng.normal(size=(80, 3)) * [1.0, 1e4, 1e-4])
    y = rng.normal(size=80) * (1 + np.abs(x[:, 1]))
    oracle = sm.OLS(y, x).fit(cov_type="HC0")
    size = np.sqrt(np.diagonal(oracle.cov_params()))
    scale = np.outer(size, size)
    found = sandwich(x, np.asarray(oracle.resid))
    np.testing.assert_allclose(found / scale, oracle.cov_params() / scale, atol=1e-9)
