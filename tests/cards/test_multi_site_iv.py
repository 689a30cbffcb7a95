"""The card of the multi-site IV model, from template to posterior."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bayesmed.cards import find_card, load_card, new_card
from bayesmed.core.errors import CardError
from bayesmed.data import SiteEstimates
from bayesmed.data.site_table import site_table
from bayesmed.generative import MultiSiteIV
from bayesmed.priors import Prior


def test_the_template_is_the_default_model() -> None:
    assert load_card(find_card("multi_site_iv")).model == MultiSiteIV()


@pytest.mark.parametrize(
    ("choice", "name", "value"),
    [
        ("compliance_correlation = true", "compliance_correlation", True),
        ("within_site_covariance = 0.1", "within_site_covariance", 0.1),
        (
            'within_site_covariance = { distribution = "Normal", mu = 0, sigma = 0.1 }',
            "within_site_covariance",
            Prior("Normal", mu=0, sigma=0.1),
        ),
    ],
)
def test_choices_switched_on(tmp_path: Path, choice: str, name: str, value: object) -> None:
    card = tmp_path / "card.toml"
    card.write_text(new_card("multi_site_iv").replace(f"# {choice}", choice), encoding="utf-8")
    assert getattr(load_card(card).model, name) == value


def test_choices_of_other_models_are_refused(tmp_path: Path) -> None:
    line = re.compile(r"^slope_covariance = .*$", re.MULTILINE)
    text = line.sub('slope = "random"', new_card("multi_site_iv"))
    card = tmp_path / "card.toml"
    card.write_text(text, encoding="utf-8")
    with pytest.raises(CardError, match=r"key 'model.slope' is not known"):
        load_card(card)


def test_a_table_that_bayesmed_writes_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(0, 0.1, (6, 3, 3)) + 0.2 * np.eye(3)
    data = SiteEstimates.from_arrays(
        mediator_effect=rng.normal(1, 0.5, (6, 2)),
        total_effect=rng.normal(1, 0.5, 6),
        cov=root @ root.transpose(0, 2, 1),
        mediators=["first", "second"],
        n=np.full(6, 50.0),
    )
    file = tmp_path / "sites.csv"
    site_table(data).to_csv(file, index=False)
    read = load_card(find_card("multi_site_iv")).load_data(file)
    np.testing.assert_allclose(read.cov, data.cov, rtol=1e-12)
    np.testing.assert_allclose(read.mediator_effect, data.mediator_effect)
