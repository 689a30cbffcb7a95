"""Site estimates from the persons of published studies equal tables made by other software."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.data import DataWarning, PersonRows, RowColumns, SiteEstimates, load_dataset

TABLES = Path(__file__).parents[1] / "tables"


def estimates(file: str, columns: RowColumns) -> SiteEstimates:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return SiteEstimates.from_rows(PersonRows.read(TABLES / file, columns))


def require_equal(data: SiteEstimates, published: pd.DataFrame) -> None:
    """Require the six significant digits printed in a table, at every site of it."""
    rows = {site: row for row, site in enumerate(data.site)}
    for wanted in published.to_dict("records"):
        row = rows[str(wanted["site"])]
        got = {
            "n": data.n[row] if data.n is not None else None,
            "gamma_hat": data.mediator_effect[row, 0],
            "gamma_se": data.mediator_se[row, 0],
            "tau_hat": data.total_effect[row],
            "tau_se": data.total_effect_se[row],
            "cov": data.cov[row, 0, 1],
        }
        for name, value in got.items():
            # Half of the last digit printed; where it is 0 the table may print rounding.
            digit = 10.0 ** (np.floor(np.log10(max(abs(wanted[name]), 1e-7))) - 5)
            assert value == pytest.approx(wanted[name], rel=0, abs=0.5001 * digit), (row, name)


@pytest.mark.parametrize("mediator", ["USNGSCH", "PRSCH_C"])
@pytest.mark.parametrize("outcome", ["FINISH8", "SCYFNSH", "REPT"])
def test_colombia(mediator: str, outcome: str) -> None:
    columns = RowColumns("VOUCH0", (mediator,), outcome, site="site")
    published = load_dataset("colombia_vouchers")
    mine = (published["mediator"] == mediator) & (published["outcome"] == outcome)
    data = estimates("colombia_vouchers_rows.csv", columns)
    assert data.site == tuple(published.loc[mine, "site"])
    require_equal(data, published[mine])


def test_colombia_published_effects() -> None:
    """The published effects of the Bogota 1995 lottery (Angrist et al. 2002, table 3)."""
    columns = RowColumns("VOUCH0", ("USNGSCH",), "FINISH8", site="site", where={"TAB3SMPL": "1"})
    data = estimates("colombia_vouchers_rows.csv", columns)
    row = data.site.index("BOG95")
    assert data.mediator_effect[row, 0] == pytest.approx(0.509, abs=5e-4)
    assert data.mediator_se[row, 0] == pytest.approx(0.023, abs=5e-4)
    assert data.total_effect[row] == pytest.approx(0.112, abs=5e-4)
    assert data.total_effect_se[row] == pytest.approx(0.027, abs=5e-4)


STAR: dict[str, dict[str, Any]] = {"small_vs_all": {}, "small_vs_regular": {"aide": "0"}}


@pytest.mark.parametrize("comparison", STAR)
@pytest.mark.parametrize("mediator", ["class_size", "score_k"])
@pytest.mark.parametrize("outcome", ["score_k", "score_1", "score_3"])
def test_star(comparison: str, mediator: str, outcome: str) -> None:
    if mediator == outcome:
        pytest.skip("a mediator is not its own outcome")
    columns = RowColumns("small", (mediator,), outcome, site="site", where=STAR[comparison])
    published = pd.read_csv(TABLES / "star_k_sites.csv")
    mine = (
        (published["comparison"] == comparison)
        & (published["mediator"] == mediator)
        & (published["outcome"] == outcome)
    )
    data = estimates("star_k_rows.csv", columns)
    require_equal(data, published[mine])
    missing = set(data.site) - set(published.loc[mine, "site"].astype(str))
    # The table leaves out some schools in which class size does not vary within arms.
    rows = [row for row, site in enumerate(data.site) if site in missing]
    assert (data.mediator_se[rows, 0] == 0).all()


def test_india() -> None:
    """The table holds persons complete in `mech` too, and no village without variation."""
    columns = RowColumns("treat", ("enrolled",), "hosp_exp", site="site", site_covariates=("mech",))
    published = pd.read_csv(TABLES / "india_rsby_sites.csv")
    data = estimates("india_rsby_rows.csv", columns)
    require_equal(data, published)
    rows = [r for r, site in enumerate(data.site) if int(site) not in set(published["site"])]
    assert (data.mediator_se[rows, 0] == 0).all()


def test_memory() -> None:
    """Two mediators with the full covariance of all three estimates."""
    columns = RowColumns("treat_imagery", ("imagery", "repetition"), "recall", site="site")
    data = estimates("memory_exp_rows.csv", columns)
    published = pd.read_csv(TABLES / "memory_exp_multi_sites.csv")
    assert data.site == tuple(published["site"].astype(str))
    wanted = {
        "n": data.n,
        "gamma_imagery": data.mediator_effect[:, 0],
        "gamma_imagery_se": data.mediator_se[:, 0],
        "gamma_repetition": data.mediator_effect[:, 1],
        "gamma_repetition_se": data.mediator_se[:, 1],
        "tau_hat": data.total_effect,
        "tau_se": data.total_effect_se,
        "cov_g1_g2": data.cov[:, 0, 1],
        "cov_g1_tau": data.cov[:, 0, 2],
        "cov_g2_tau": data.cov[:, 1, 2],
    }
    for name, got in wanted.items():
        np.testing.assert_allclose(got, published[name], rtol=5e-6, err_msg=name)
