"""The report of correlated random coefficients, from a short fit with hostile names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayesmed.generative import RandomCoefficients
from bayesmed.inference import Fit, Sampler, fit
from bayesmed.report.content import Content, Table
from tests.generative.random_coefficients import persons
from tests.report.trials.reports import EVIL, assert_labels_fit, assert_sound, content_of, said
from tests.trial_fits import made


def named(kind: str, n: int = 200) -> Any:
    data = persons(kind, n)
    return replace(data, names=replace(data.names, **EVIL), source="<i>source</i>")


@pytest.fixture(scope="module")
def fitted() -> Fit[Any, Any]:
    """Compiles: about 8 seconds."""
    sampler = Sampler(chains=2, draws=300, tune=400)
    return fit(RandomCoefficients(), named("two arms"), sampler=sampler, seed=1)


@pytest.fixture(scope="module")
def content(fitted: Fit[Any, Any]) -> Content:
    return content_of(fitted)


def test_the_report_is_sound(content: Content) -> None:
    assert_sound(content, EVIL | {"source": "<i>source</i>"})
    assert_labels_fit(content)


def test_the_answer_is_that_of_the_draws(content: Content, fitted: Fit[Any, Any]) -> None:
    sentence = content.answer.sentence
    assert said(fitted, "average_treatment_effect") in sentence
    assert said(fitted, "cwate", median=True) in sentence
    labels = [row.label for row in content.answer.rows]
    assert len(labels) == len(set(labels)) == 4
    assert [row.is_median for row in content.answer.rows] == [False, True, False, False]


def table(content: Content, caption: str) -> Table:
    return next(t for t in content.tables if t.caption.startswith(caption))


def test_tables_say_each_thing_once_and_in_words(content: Content) -> None:
    m, y = EVIL["mediator"], EVIL["outcome"]
    rows = [row[0] for row in table(content, "Posterior of the parameters").rows]
    assert rows[0] == f"Average effect of {m} on {y}"
    assert f"Spread of {m}, arm 1" in rows
    assert "Persons' correlation of mediator level and slope" in rows
    assert len(set(rows)) == len(rows)
    data = [row[0] for row in table(content, "The data in numbers").rows]
    assert f"Covariance of {m} and {y}, arm 0" in data
    assert len(set(data)) == len(data) == 18
    estimators = table(content, "Effects by every estimator").rows
    assert [row[0] for row in estimators].count("Posterior") == 3


def test_the_units_of_the_first_picture_are_apart(content: Content) -> None:
    (picture,) = (p for p in content.pictures if p.slug == "effects")
    panels = picture.draw().axes
    assert len(panels) == 3
    assert [len(axes.get_yticks()) for axes in panels] == [1, 2, 1]


def test_of_a_binary_mediator_the_same_number_stands_once() -> None:
    rng = np.random.default_rng(1)
    draws = {"mediator_share": rng.uniform([0.1, 0.6], [0.2, 0.8], size=(2, 50, 2))}
    fitted = made(RandomCoefficients(), named("binary"), draws, (2, 50))
    content = content_of(fitted)
    assert_sound(content, EVIL)
    assert_labels_fit(content)
    assert f"by {said(fitted, 'late', median=True)}" in content.answer.sentence
    labels = [row.label for row in content.answer.rows]
    assert sum("LATE" in label for label in labels) == 1
    assert not any("weighted by compliance" in label for label in labels)
    effects = [row[1] for row in table(content, "Effects by every estimator").rows]
    assert not any("_" in name for name in effects)


def test_amounts_are_named_by_what_they_are() -> None:
    content = content_of(made(RandomCoefficients(direct_effect=True), named("amount")))
    assert_labels_fit(content)
    data = [row[0] for row in table(content, "The data in numbers").rows]
    assert f"Mean of {EVIL['mediator']}, {EVIL['treatment']} lowest third" in data
    assert "Caution" in " ".join(
        block.text for s in content.sections for block in s.blocks if block.kind == "paragraph"
    )  # type: ignore[union-attr]
