"""Shipped tables load, say where they are from, and hold the published numbers."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayesmed.data import (
    DataError,
    MediatorColumns,
    SiteColumns,
    SiteEstimates,
    dataset_names,
    load_dataset,
)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("berkey1998", (5, 8)), ("colombia_vouchers", (18, 10)), ("mechte_example", (100, 4))],
)
def test_shapes_and_provenance(name: str, shape: tuple[int, int]) -> None:
    assert load_dataset(name).shape == shape
    readme = (resources.files("bayesmed.data") / "tables" / "README.md").read_text("utf-8")
    assert f"`{name}.csv`" in readme


def test_every_table_in_the_folder_has_a_name() -> None:
    files = (resources.files("bayesmed.data") / "tables").iterdir()
    stems = {f.name.removesuffix(".csv") for f in files if f.name.endswith(".csv")}
    assert stems == set(dataset_names())


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(DataError, match=r"'berkey'. Did you mean 'berkey1998'"):
        load_dataset("berkey")
    for name in ("../tables/berkey1998", "/etc/passwd", "README.md", "", "berkey1998.csv", "a\0"):
        with pytest.raises(DataError, match="There is no data set"):
            load_dataset(name)


def test_a_changed_copy_changes_nothing() -> None:
    copy = load_dataset("berkey1998")
    copy["tau_hat"] = 0.0
    assert load_dataset("berkey1998")["tau_hat"].iloc[0] == -0.32


def test_mechte_is_less_reliable_than_its_spread() -> None:
    # The moment estimator's denominator is negative on this table: 212 against 238.
    frame = load_dataset("mechte_example")
    gamma = frame["gamma_hat"].to_numpy()
    assert_allclose(np.sum((gamma - gamma.mean()) ** 2), 212, atol=1)
    assert_allclose(np.sum(frame["sd_u"] ** 2), 238, atol=1)


def test_berkey_holds_the_published_covariances() -> None:
    pd_improvement = MediatorColumns("PD", "gamma_hat", "gamma_se", cov="cov")
    columns = SiteColumns((pd_improvement,), "tau_hat", "tau_se", site="site", n="n")
    data = SiteEstimates.from_frame(load_dataset("berkey1998"), columns, source="berkey1998")
    assert data.site == ("1", "2", "3", "4", "5")
    assert data.notes == ()
    published = [0.0075, 0.0057, 0.0021, 0.0029, 0.0148]
    assert_allclose(data.cov[:, 0, 0], published, rtol=1e-5)
    assert_allclose(data.cov[:, 0, 1], [0.003, 0.0009, 0.0007, 0.0009, 0.0072])


@pytest.mark.parametrize("mediator", ["USNGSCH", "PRSCH_C"])
@pytest.mark.parametrize("outcome", ["FINISH8", "SCYFNSH", "REPT"])
def test_colombia_pairs(mediator: str, outcome: str) -> None:
    where = {"mediator": mediator, "outcome": outcome}
    by_cov, by_corr = (
        SiteEstimates.from_frame(
            load_dataset("colombia_vouchers"),
            SiteColumns((m,), "tau_hat", "tau_se", site="site", n="n", where=where),
        )
        for m in (
            MediatorColumns(mediator, "gamma_hat", "gamma_se", cov="cov"),
            MediatorColumns(mediator, "gamma_hat", "gamma_se", corr="corr"),
        )
    )
    assert by_cov.site == ("BOG95", "BOG97", "JAM93")
    assert by_cov.notes == ()
    assert_allclose(by_cov.cov, by_corr.cov, rtol=1e-5)


def test_stacked_pairs_must_be_chosen() -> None:
    columns = SiteColumns(
        (MediatorColumns("m", "gamma_hat", "gamma_se"),), "tau_hat", "tau_se", site="site"
    )
    with pytest.raises(DataError, match=r"'BOG95' stands already in row 1 .*`where`"):
        SiteEstimates.from_frame(load_dataset("colombia_vouchers"), columns)
