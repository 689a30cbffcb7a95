"""Every variant of the site-slope model with a table to go with it, for tests without sampling."""

import dataclasses
from functools import cache

import numpy as np

from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.generative import MultiSiteIV, SiteSlope
from bayesmed.priors import Prior

N = 6
FREE_CORRELATION = Prior("Uniform", lower=-0.9, upper=0.9)
MODELS = {
    "constant": SiteSlope(),
    "no direct effect": SiteSlope(direct_effect=False),
    "own priors": SiteSlope(
        priors={
            "slope": Prior("StudentT", nu=4, mu=0.5, sigma=2),
            "direct_effect_mean": Prior("Normal", mu=0.2, sigma=1.5),
            "direct_effect_sd": Prior("Exponential", lam=1.2),
            "mediator_effect_sd": Prior("LogNormal", mu=-0.5, sigma=0.6),
            "mediator_effect_mean": Prior("Laplace", mu=0.3, b=1.1, unit="scaled"),
        }
    ),
    "truncated slope": SiteSlope(
        priors={"slope": Prior("TruncatedNormal", mu=0, sigma=3, lower=0, upper=9)}
    ),
    "positive slope": SiteSlope(priors={"slope": Prior("HalfNormal", sigma=3)}),
    "random": SiteSlope(slope="random"),
    "random, no direct effect": SiteSlope(slope="random", direct_effect=False),
    "polynomial": SiteSlope(slope="polynomial"),
    "polynomial, raw priors": SiteSlope(
        slope="polynomial",
        priors={
            "slope": Prior("Normal", mu=1, sigma=2),
            "slope_linear": Prior("Normal", mu=0.3, sigma=0.8),
            "direct_effect_mean": Prior("Normal", mu=0.1, sigma=1.5),
        },
    ),
    "polynomial, raw linear prior": SiteSlope(
        slope="polynomial", priors={"slope_linear": Prior("Normal", mu=0.3, sigma=0.8)}
    ),
    "polynomial, no direct effect": SiteSlope(slope="polynomial", direct_effect=False),
    "correlation": SiteSlope(correlation=0.4),
    "correlation prior": SiteSlope(correlation=FREE_CORRELATION),
    "correlation, raw intercept": SiteSlope(
        correlation=FREE_CORRELATION,
        priors={"direct_effect_mean": Prior("Normal", mu=0.2, sigma=1.5)},
    ),
    "student_t": SiteSlope(direct_effect_distribution="student_t"),
    "covariates": SiteSlope(covariates=("age", "urban")),
    "two mediators": SiteSlope(),
    "three mediators": SiteSlope(),
    "two mediators, own priors": SiteSlope(
        priors={
            "slope": Prior("Normal", mu=0.2, sigma=1),
            "slope[b]": Prior("StudentT", nu=3, mu=0, sigma=1),
            "mediator_effect_sd[a]": Prior("Exponential", lam=1),
        }
    ),
    "blocks": SiteSlope(),
    "blocks, two mediators, covariates": SiteSlope(covariates=("age",)),
    "polynomial, student_t": SiteSlope(slope="polynomial", direct_effect_distribution="student_t"),
    "random, student_t": SiteSlope(slope="random", direct_effect_distribution="student_t"),
    "random, two mediators": SiteSlope(slope="random"),
    "random, blocks": SiteSlope(slope="random"),
    "random, covariates, correlation": SiteSlope(
        slope="random", covariates=("age",), correlation=FREE_CORRELATION
    ),
    "polynomial, two mediators": SiteSlope(slope="polynomial"),
    "student_t, correlation": SiteSlope(direct_effect_distribution="student_t", correlation=-0.3),
    "student_t, two mediators": SiteSlope(direct_effect_distribution="student_t"),
    "multi-site iv": MultiSiteIV(),
    "multi-site iv, two mediators, full": MultiSiteIV(slope_covariance="full"),
    "multi-site iv, two mediators, compliance": MultiSiteIV(compliance_correlation=True),
    "multi-site iv, compliance, direct effect": MultiSiteIV(
        compliance_correlation=True, direct_effect=True
    ),
    "multi-site iv, known compliance": MultiSiteIV(compliance_correlation=-0.4),
    "multi-site iv, two mediators, known compliance": MultiSiteIV(
        compliance_correlation=0.6, slope_covariance="full"
    ),
    "multi-site iv, two mediators, kappa": MultiSiteIV(
        within_site_covariance=Prior("Normal", mu=0.1, sigma=0.2)
    ),
    "multi-site iv, known kappa": MultiSiteIV(within_site_covariance=0.3),
    "multi-site iv, blocks, compliance": MultiSiteIV(compliance_correlation=True),
    "multi-site iv, persons": MultiSiteIV(),
    "multi-site iv, two mediators, persons": MultiSiteIV(sampling_covariance="by_arm"),
    "multi-site iv, persons, pooled": MultiSiteIV(
        sampling_covariance="common", compliance_correlation=True
    ),
    "multi-site iv, blocks, persons": MultiSiteIV(),
}
CLOSED = [name for name, model in MODELS.items() if model.slope == "constant"]
AVERAGED = [
    "random",
    "random, no direct effect",
    "polynomial",
    "polynomial, raw priors",
    "polynomial, raw linear prior",
    "random, covariates, correlation",
    "multi-site iv",
    "multi-site iv, compliance, direct effect",
    "multi-site iv, known compliance",
    "multi-site iv, known kappa",
    "multi-site iv, persons",
    "multi-site iv, persons, pooled",
]
SAMPLED = [name for name in MODELS if name not in CLOSED and name not in AVERAGED]


def n_mediators(name):
    return 2 if "two mediators" in name else 3 if "three" in name else 1


def derived(name):
    """Names of what follows from the parameters, for as many mediators as the variant has."""
    model, table = MODELS[name], data(name)
    related = model.related(table)
    absent = {
        "none": {"slope_corr", "mediator_effect_slope_corr"},
        "slopes": {"mediator_effect_slope_corr"},
        "effects": set(),
    }[related]
    if table.n_mediators == 1 and related == "none":
        absent |= {"mediator_effect_corr"}
    if model.persons(table) is None:
        absent |= {"person_covariance"}
    return {*model.derived} - absent


@cache
def data(name, seed=8):
    """The table of a variant: correlated errors of unequal size; ragged blocks where shared."""
    found = table(n_mediators(name), "blocks" in name, seed=seed)
    return with_persons(found) if "persons" in name else found


def with_persons(data, *, seed=9):
    """The table with products of persons of a reference and two arms, one of them in each row."""
    rng = np.random.default_rng(seed)
    k, rows = data.n_mediators + 1, data.n_rows
    root = rng.normal(0, 0.5, (3, k, k)) + np.eye(k)
    df = np.array([30.0, 12.0, 17.0])
    n, arm = rng.integers(20, 60, (rows, 2)), np.arange(rows) % 2 + 1
    weight = np.zeros((rows, 3))
    weight[:, 0], weight[np.arange(rows), arm] = 1 / n[:, 0], 1 / n[:, 1]
    for i, j in data.cross_cov:
        weight[j, 0] = weight[i, 0]
    pairs = {(i, j): np.array([weight[i, 0], 0.0, 0.0]) for i, j in data.cross_cov}
    cross = df[:, None, None] * (root @ root.transpose(0, 2, 1))
    persons = PersonCovariance(("none", "one", "two"), cross, df, weight, pairs)
    return dataclasses.replace(data, persons=persons)


def table(mediators=1, blocks=False, *, rows=N, seed=8):
    rng = np.random.default_rng(seed)
    p = mediators
    gamma = rng.normal(1, 0.6, (rows, p))
    slopes = np.array([1.5, -0.8, 0.5])[:p]
    total = 0.4 + gamma @ slopes + rng.normal(0, 0.3, rows)
    root = rng.normal(0, 0.12, (rows, p + 1, p + 1)) + 0.15 * np.eye(p + 1)
    cov = root @ root.transpose(0, 2, 1)
    cross, block = {}, None
    if blocks:
        # Blocks of two, one, two and one rows, in an order that is not sorted.
        block = ["u", "v", "w", "u", "w", "x", *map(str, range(rows - 6))][:rows]
        shared = rng.normal(0, 0.1, (2, p + 1, p + 1))
        shared = shared @ shared.transpose(0, 2, 1)
        for pair, extra in zip(((0, 3), (2, 4)), shared, strict=True):
            cross[pair] = extra
            for row in pair:
                cov[row] += extra
    return SiteEstimates.from_arrays(
        mediator_effect=gamma,
        total_effect=total,
        cov=cov,
        cross_cov=cross,
        block=block,
        mediators=list("abc")[:p] if p > 1 else None,
        covariates={"age": rng.normal(40, 9, rows), "urban": rng.integers(0, 2, rows) * 1.0},
    )
