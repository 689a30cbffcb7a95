"""PreliZ and this package mean the same by the same prior."""

import sys

import numpy as np
import pytest

from bayesmed.core.errors import ModelError
from bayesmed.priors import FAMILIES, Prior, from_preliz, to_preliz

PRIORS = [
    Prior("Normal", mu=3, sigma=2), Prior("StudentT", nu=4, mu=-1, sigma=2),
    Prior("Cauchy", alpha=2, beta=1), Prior("Laplace", mu=1, b=2), Prior("Logistic", mu=1, s=2),
    Prior("Uniform", lower=-1, upper=3), Prior("HalfNormal", sigma=2),
    Prior("TruncatedNormal", mu=1, sigma=2, lower=0, upper=5),
    Prior("HalfStudentT", nu=3, sigma=2), Prior("HalfCauchy", beta=2),
    Prior("Exponential", lam=0.5), Prior("Gamma", alpha=2, beta=3),
    Prior("InverseGamma", alpha=3, beta=2), Prior("LogNormal", mu=1, sigma=0.5),
]  # fmt: skip


def test_every_family_is_tried():
    assert {prior.distribution for prior in PRIORS} == set(FAMILIES)


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_quantiles_and_densities_are_those_of_preliz(prior):
    theirs = to_preliz(prior)
    p = np.array([0.05, 0.3, 0.5, 0.8, 0.95])
    quantiles = prior.quantile(p)
    np.testing.assert_allclose(quantiles, theirs.ppf(p), rtol=1e-5)
    np.testing.assert_allclose(prior.log_density(quantiles), theirs.logpdf(quantiles), rtol=1e-5)
    assert from_preliz(theirs) == prior


def test_what_preliz_finds_is_taken():
    import preliz as pz

    found = from_preliz(pz.maxent(pz.Gamma(), 1, 5, 0.9, plot=False), unit="scaled")
    assert found.unit == "scaled"
    low, high = found.moved(0, 1).quantile(np.array([0.05, 0.95]))
    inside = pz.Gamma(*found.parameters.values())
    assert inside.cdf(5) - inside.cdf(1) == pytest.approx(0.9, abs=1e-3)
    assert 0 < low < high < 9
    # Stated by mean and standard deviation.
    assert from_preliz(pz.Gamma(mu=2, sigma=1)).parameters == pytest.approx({"alpha": 4, "beta": 2})


def test_what_is_no_prior_is_refused():
    import preliz as pz

    with pytest.raises(ModelError, match="Beta of PreliZ"):
        from_preliz(pz.Beta(1, 2))
    with pytest.raises(ModelError, match="no number as mu"):
        from_preliz(pz.Normal())
    with pytest.raises(ModelError, match="int of PreliZ"):
        from_preliz(3)


def test_without_preliz_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "preliz", None)
    with pytest.raises(ModelError, match=r"bayesmed\[preliz\]"):
        to_preliz(Prior("Normal", sigma=1))
