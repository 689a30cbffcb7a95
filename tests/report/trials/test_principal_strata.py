"""The report of eight cells: saturated from a short fit, with types from draws of the prior."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bayesmed.checks import ledger
from bayesmed.data import TrialCells
from bayesmed.generative import PrincipalStrata
from bayesmed.inference import Fit, Sampler, fit
from bayesmed.report.content import Content, Paragraph
from tests.classical.cells import fertility
from tests.report.trials.reports import EVIL, assert_labels_fit, assert_sound, content_of, said
from tests.trial_fits import made

INSTRUMENT = "<u>lottery</u>"
ARMS = ("usual <em>care</em>", "the new | drug")


def named(data: TrialCells) -> TrialCells:
    names = replace(data.names, **EVIL, arms=ARMS)
    return replace(data, names=names, instrument=INSTRUMENT, derivation="By <hand>.")


@pytest.fixture(scope="module")
def fitted() -> Fit[Any, Any]:
    """Compiles: about 10 seconds."""
    sampler = Sampler(chains=2, draws=300, tune=400)
    data = named(fertility().pooled())
    return fit(PrincipalStrata(saturated=True), data, sampler=sampler, seed=1)


@pytest.fixture(scope="module")
def content(fitted: Fit[Any, Any]) -> Content:
    return content_of(fitted)


@pytest.fixture(scope="module")
def with_types() -> Fit[Any, Any]:
    return made(PrincipalStrata(monotone_in="both"), named(fertility()), shape=(2, 40))


def test_the_report_is_sound(content: Content) -> None:
    assert_sound(content, EVIL | {"z": INSTRUMENT, "arm": ARMS[0], "derivation": "By <hand>."})
    assert_labels_fit(content)


def test_the_answer_is_that_of_the_draws(content: Content, fitted: Fit[Any, Any]) -> None:
    sentence = content.answer.sentence
    nie = said(fitted, "nie_iv", median=True, arm=ARMS[1])
    nde = said(fitted, "nde_iv", median=True, arm=ARMS[0])
    assert f"by {said(fitted, 'ate')} (95 %" in sentence
    assert f"as instrumental variables have it of {nie} (in arm {ARMS[1]})" in sentence
    assert f"direct effect of {nde} (with {EVIL['mediator']} as in arm {ARMS[0]})" in sentence


def test_types_answer_by_their_own_effects(with_types: Fit[Any, Any]) -> None:
    content = content_of(with_types)
    assert_sound(content, EVIL | {"z": INSTRUMENT})
    assert_labels_fit(content)
    (basis,) = (s for s in content.sections if s.slug == "basis")
    words = " ".join(b.text for b in basis.blocks if isinstance(b, Paragraph))
    assert "σ_het (HalfNormal(sigma = 0.5) in scaled units)" in words
    sentence = content.answer.sentence
    assert "instrumental variables" not in sentence
    assert said(with_types, "nie", arm=ARMS[1]) in sentence
    assert said(with_types, "nde", arm=ARMS[0]) in sentence
    (effects,) = (t for t in content.tables if t.caption == "Effects")
    entries = [row[1] for row in effects.rows]
    assert {f"arm {ARMS[0]}", "type 0001", f"type 0111, arm {ARMS[1]}", "M=1"} <= set(entries)
    (parameters,) = (t for t in content.tables if t.caption.startswith("Posterior of the par"))
    labels = [row[0] for row in parameters.rows]
    assert "Share of persons, black, type 0001" in labels
    assert "Share of persons, not black, Z=1" in labels
    assert len(set(labels)) == len(labels)


def test_one_stratum_is_not_named(content: Content) -> None:
    (table,) = (t for t in content.tables if t.caption == "The data in numbers")
    labels = [row[0] for row in table.rows]
    assert f"Share with {EVIL['mediator']}, arm {ARMS[0]}, Z=0" in labels
    assert not any("all" in label.split(", ") for label in labels)
    assert len(labels) == 4 + 8 + 8


@pytest.mark.parametrize(
    "choices", [{"saturated": True}, {"monotone_in": "treatment"}, {"heterogeneity": 0.0}]
)
def test_assumptions_are_those_of_the_ledger(choices: dict[str, Any]) -> None:
    fitted = made(PrincipalStrata(**choices), named(fertility().pooled()))
    (table,) = (t for t in content_of(fitted).tables if t.caption == "What the answer assumes")
    statuses = {row[0]: row[1] for row in table.rows}
    for line in ledger(fitted).lines:
        (status,) = (
            status
            for said, status in statuses.items()
            if said.startswith(line.assumption.statement.removesuffix("."))
        )
        assert status == line.status


def test_many_statistics_are_said_to_be_some_of_them() -> None:
    cells = fertility()
    several = TrialCells.from_arrays(
        n=[*cells.n, *cells.n],
        mean=[*cells.mean, *cells.mean],
        squares=[*cells.squares, *cells.squares],
    )
    content = content_of(made(PrincipalStrata(saturated=True), several))
    (picture,) = (p for p in content.pictures if p.slug == "predicted")
    assert "Of 80 statistics 40 are shown." in picture.caption
    assert len(picture.draw().axes[0].get_yticks()) == 40
