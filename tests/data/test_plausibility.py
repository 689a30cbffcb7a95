"""The warning for variances in place of standard errors: quiet on real tables, loud on squares."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmed.data import (
    DataWarning,
    MediatorColumns,
    MediatorCovariance,
    SiteColumns,
    SiteEstimates,
    load_dataset,
)
from bayesmed.data.plausibility import se_look_like_variances

TABLES = Path(__file__).parent / "tables"
EFFECT = MediatorColumns("m", "gamma_hat", "gamma_se", cov="cov")
PAIR = SiteColumns((EFFECT,), "tau_hat", "tau_se", site="site")


def real_tables() -> dict[str, tuple[pd.DataFrame, SiteColumns]]:
    """Return every real table at hand, each pair of a stacked file on its own."""
    mechte = SiteColumns((MediatorColumns("m", "gamma_hat", "sd_u"),), "tau_hat", "sd_v")
    tables = {
        "mechte": (load_dataset("mechte_example"), mechte),
        "berkey": (load_dataset("berkey1998"), PAIR),
        "india": (pd.read_csv(TABLES / "india_rsby_sites.csv"), PAIR),
        "mvmr": (pd.read_csv(TABLES / "mvmr_lipids_sbp.csv"), lipids()),
        "memory": (pd.read_csv(TABLES / "memory_exp_multi_sites.csv"), memory()),
    }
    stacked = {
        "colombia": (load_dataset("colombia_vouchers"), ["mediator", "outcome"]),
        "star": (
            pd.read_csv(TABLES / "star_k_sites.csv"),
            ["comparison", "mediator", "outcome"],
        ),
        "microcredit": (
            pd.read_csv(TABLES / "microcredit_sites.csv"),
            ["mediator", "outcome", "se_type"],
        ),
    }
    for name, (frame, keys) in stacked.items():
        for key, part in frame.groupby(keys):
            tables[f"{name} {' '.join(map(str, key))}"] = (part, PAIR)
    return tables


def lipids() -> SiteColumns:
    mediators = tuple(MediatorColumns(x, f"{x}_beta", f"{x}_se") for x in ("LDL", "HDL", "Trg"))
    return SiteColumns(mediators, "SBP_beta", "SBP_se", site="SNP")


def memory() -> SiteColumns:
    mediators = tuple(
        MediatorColumns(x, f"gamma_{x}", f"gamma_{x}_se", cov=f"cov_g{i}_tau")
        for i, x in ((1, "imagery"), (2, "repetition"))
    )
    between = MediatorCovariance("imagery", "repetition", cov="cov_g1_g2")
    return SiteColumns(mediators, "tau_hat", "tau_se", site="site", covariances=(between,))


REAL = real_tables()


@pytest.mark.parametrize("name", REAL)
def test_no_alarm_on_real_tables(name: str) -> None:
    frame, columns = REAL[name]
    if name == "mvmr":
        with pytest.warns(DataWarning, match="Covariances between mediators"):
            data = SiteEstimates.from_frame(frame, columns)
        assert len(data.notes) == 1
        return
    data = SiteEstimates.from_frame(frame, columns)
    assert data.notes == ()
    assert data.n_rows == len(frame)


def alarmed(name: str) -> bool:
    """Say whether a table with its standard errors squared is found out."""
    frame, columns = REAL[name]
    effects = [(m.effect, m.se) for m in columns.mediators]
    effects.append((columns.total_effect, columns.total_effect_se))
    estimate = frame[[effect for effect, _ in effects]].to_numpy(float)
    se = frame[[se for _, se in effects]].to_numpy(float)
    return bool(se_look_like_variances(estimate, se**2).any())


def test_squares_of_real_errors_are_mostly_found() -> None:
    missed = {name for name in REAL if not alarmed(name)}
    assert not {m for m in missed if m.startswith(("star", "india", "berkey", "mvmr"))}
    # Seven sites or fewer, spreads that fit both readings, or errors near 1: not told apart.
    assert len(missed) <= len(REAL) / 2


def test_the_warning_names_the_columns() -> None:
    frame, columns = REAL["star small_vs_regular score_k score_1"]
    squared = frame.assign(gamma_se=frame["gamma_se"] ** 2, tau_se=frame["tau_se"] ** 2)
    with pytest.warns(
        DataWarning, match=r"look like variances \(.*'gamma_se'.*'tau_se'\).*square roots"
    ) as caught:
        data = SiteEstimates.from_frame(squared, columns)
    assert data.notes == tuple(str(w.message) for w in caught)
    assert data.take(range(10)).notes == data.notes


def test_errors_computed_from_rows_of_persons_are_not_doubted() -> None:
    frame, columns = REAL["star small_vs_regular score_k score_1"]
    with pytest.warns(DataWarning, match="look like variances"):
        doubted = SiteEstimates.from_frame(
            frame.assign(gamma_se=frame["gamma_se"] ** 2, tau_se=frame["tau_se"] ** 2), columns
        )
    computed = SiteEstimates.from_arrays(
        mediator_effect=doubted.mediator_effect,
        total_effect=doubted.total_effect,
        cov=doubted.cov,
        derivation="From rows of persons.",
    )
    assert computed.notes == ()


@pytest.mark.parametrize("sites", [3, 10, 100])
@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0, 5.0])
def test_false_alarms_are_rare(sites: int, spread: float) -> None:
    rng = np.random.default_rng([sites, int(10 * spread)])
    tables = 1_000
    alarms = 0
    for _ in range(tables):
        se = rng.uniform(0.5, 1.5, (sites, 2)) * rng.choice([0.02, 1.0, 30.0])
        estimate = se.mean() * spread * rng.normal(size=(sites, 2)) + se * rng.normal(size=se.shape)
        alarms += bool(se_look_like_variances(estimate, se).any())
    # At most .001 for each of two effects: 2 expected, above 9 with probability below 1e-4.
    assert alarms <= 9


def test_units_far_from_one_do_not_overflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for unit in (1e-140, 1e140):
            se = np.full((4, 2), unit)
            flags = se_look_like_variances(np.arange(8.0).reshape(4, 2) * unit, se)
            assert flags.shape == (2,)
