"""Make two_mediators.json: two mediators with latent effects in a plain probabilistic program.

    python tests/reference/two_mediators.py

Nothing here comes from the package: data, model and priors are written out.
"""

import json
from pathlib import Path

import arviz_stats as azs
import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

HERE = Path(__file__).parent
TABLE = HERE.parent / "data" / "tables" / "memory_exp_multi_sites.csv"
NAMES = ("imagery", "repetition")
# Spreads have priors without mass near 0: there the latent form is hard to sample.
PRIORS = {
    "mediator_effect_mean": ("Normal", {"mu": 0.0, "sigma": 5.0}),
    "mediator_effect_sd": ("LogNormal", {"mu": -0.2, "sigma": 0.5}),
    "direct_effect_mean": ("Normal", {"mu": 0.0, "sigma": 3.0}),
    "direct_effect_sd": ("LogNormal", {"mu": -0.2, "sigma": 0.5}),
    "slope": ("Normal", {"mu": 0.0, "sigma": 1.0}),
}
DRAWS, SEED = 50_000, 417


def estimates(frame):
    """Estimates (S, 3) and their covariances (S, 3, 3), total effect last."""
    columns = [*(f"gamma_{n}" for n in NAMES), "tau_hat"]
    errors = [*(f"gamma_{n}_se" for n in NAMES), "tau_se"]
    cov = np.zeros((len(frame), 3, 3))
    for i, name in enumerate(errors):
        cov[:, i, i] = frame[name] ** 2
    for i, j, name in ((0, 1, "cov_g1_g2"), (0, 2, "cov_g1_tau"), (1, 2, "cov_g2_tau")):
        cov[:, i, j] = cov[:, j, i] = frame[name]
    return frame[columns].to_numpy(), cov


def latent_model(observed, cov):
    sites = len(observed)
    with pm.Model() as model:

        def parameter(name, **shape):
            distribution, values = PRIORS[name]
            return getattr(pm, distribution)(name, **values, **shape)

        mean = parameter("mediator_effect_mean", shape=2)
        sd = parameter("mediator_effect_sd", shape=2)
        corr = pm.Uniform("mediator_effect_corr", -1.0, 1.0)
        slope = parameter("slope", shape=2)
        direct_mean = parameter("direct_effect_mean")
        direct_sd = parameter("direct_effect_sd")
        off = corr * sd[0] * sd[1]
        omega = pt.stacklists([[sd[0] ** 2, off], [off, sd[1] ** 2]])
        gamma = pm.MvNormal("mediator_effect", mean, omega, shape=(sites, 2))
        theta = pm.Normal("direct_effect", direct_mean, direct_sd, shape=sites)
        total = theta + (gamma * slope).sum(axis=1)
        away = observed - pt.concatenate([gamma, total[:, None]], axis=1)
        precision = np.linalg.inv(cov)
        square = (away[:, :, None] * precision * away[:, None, :]).sum()
        pm.Potential("estimates", -0.5 * square)
    return model


def summary(draws):
    """Mean, sd and Monte-Carlo standard errors of one number."""
    return {
        "mean": float(draws.mean()),
        "sd": float(draws.std()),
        "mcse_mean": float(azs.mcse(draws, method="mean")),
        "mcse_sd": float(azs.mcse(draws, method="sd")),
    }


def main():
    observed, cov = estimates(pd.read_csv(TABLE))
    compiled = nutpie.compile_pymc_model(latent_model(observed, cov))
    trace = nutpie.sample(
        compiled,
        draws=DRAWS,
        tune=3000,
        chains=4,
        cores=2,
        target_accept=0.99,
        seed=SEED,
        progress_bar=False,
    )
    found = {}
    for name in (*PRIORS, "mediator_effect_corr", "mediator_effect", "direct_effect"):
        draws = np.asarray(trace.posterior[name])
        each = draws.reshape(*draws.shape[:2], -1)
        found[name] = [summary(each[..., i]) for i in range(each.shape[-1])]
    worst = max(row["mcse_mean"] / row["sd"] for rows in found.values() for row in rows)
    result = {
        "model": "site slope, constant, two mediators",
        "mediators": NAMES,
        "priors_unit": "data",
        "priors": {name: {"distribution": d, **v} for name, (d, v) in PRIORS.items()},
        "method": f"NUTS, latent effects, 4 x {DRAWS} draws, target acceptance 0.99",
        "divergences": int(trace.sample_stats["diverging"].sum()),
        "largest_mcse_over_sd": worst,
        "parameters": found,
    }
    (HERE / "two_mediators.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
