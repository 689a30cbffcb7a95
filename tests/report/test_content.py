"""What a report says, and in which order."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from bayesmed.cards import Framing
from bayesmed.core.numbers import number
from bayesmed.data import SiteEstimates
from bayesmed.inference import Fit
from bayesmed.report.compose import compose
from bayesmed.report.content import Bullets, Content, Paragraph, Picture, Table
from bayesmed.report.findings import findings
from bayesmed.report.html import to_html
from bayesmed.report.markdown import to_markdown
from tests.report.fits import fitted, simulated


@pytest.fixture(scope="module")
def plain(plain_fit: Fit) -> Content:
    return compose(findings(plain_fit))


def table(content: Content, caption: str) -> Table:
    return next(t for t in content.tables if t.caption.startswith(caption))


def texts(content: Content) -> str:
    blocks = [b for s in content.sections for b in s.blocks]
    words = [b.text for b in blocks if isinstance(b, Paragraph)]
    words += [item for b in blocks if isinstance(b, Bullets) for item in b.items]
    return "\n".join(words)


def test_the_record_is_frozen(plain: Content) -> None:
    with pytest.raises(FrozenInstanceError):
        plain.title = "another"  # type: ignore[misc]


def test_question_and_answer_name_mediator_and_outcome(plain: Content) -> None:
    assert plain.question == (
        "How much of the treatment's effect on score runs through its effect on effort?"
    )
    assert "score" in plain.answer.sentence
    assert "effort" in plain.answer.sentence
    assert "95 % interval" in plain.answer.sentence


def test_a_framing_brings_its_own_words(plain_fit: Fit) -> None:
    framing = Framing("A title", "A question?", "A book.\nAnother line.", ("Luck.",))
    found = compose(findings(plain_fit, framing))
    assert (found.title, found.question) == ("A title", "A question?")
    for words in ("A book.", "Another line.", "Luck."):
        assert words in texts(found)


def test_every_table_is_rectangular_and_every_slug_used_once(plain: Content) -> None:
    for found in plain.tables:
        assert found.rows
        assert {len(row) for row in found.rows} == {len(found.columns)}
        assert all(isinstance(cell, str) for row in found.rows for cell in row)
    slugs = [s.slug for s in plain.sections] + [p.slug for p in plain.pictures]
    assert len(slugs) == len(set(slugs))
    assert not set(slugs) & {"answer", "first", "notes"}


def test_numbers_of_sites_are_those_of_the_data(plain: Content, plain_fit: Fit) -> None:
    rows = table(plain, "Estimates as used").rows
    assert [row[0] for row in rows] == list("ABCDEFGH")
    assert [row[1] for row in rows] == [number(x) for x in plain_fit.data.mediator_effect[:, 0]]
    assert [row[4] for row in rows] == ["0.2"] * 8
    assert {row[5] for row in rows} == {"0.3"}


def test_priors_stand_in_data_units_with_their_origin(plain: Content, plain_fit: Fit) -> None:
    rows = table(plain, "Priors").rows
    priors = plain_fit.model.priors_for(plain_fit.data)
    assert [row[1] for row in rows] == [str(p) for p in priors.values()]
    assert {row[2] for row in rows} == {"default, scaled to the data"}


def test_seed_versions_and_fingerprint_are_told(plain: Content, plain_fit: Fit) -> None:
    told = dict(table(plain, "How this was computed").rows)
    assert told["Seed"] == "1"
    assert told["Data, SHA-256"] == plain_fit.data.fingerprint
    assert {"python", "bayesmed", "pymc", "numpy"} <= set(told)


def test_data_that_cannot_answer_say_so_first() -> None:
    # Estimates closer together than their standard errors allow any true spread to be.
    data = SiteEstimates.from_arrays(
        mediator_effect=np.linspace(-0.3, 0.3, 30),
        total_effect=np.linspace(0.0, 1.0, 30),
        cov=np.tile(np.diag([1.0, 0.04]), (30, 1, 1)),
    )
    found = compose(findings(fitted(data)))
    assert found.answer.first[0].startswith("These data cannot answer, because")
    text = to_markdown(found)
    assert text.index("These data cannot answer") < text.index("## Answer")


def test_a_computation_that_failed_says_so_first(sampled_fit: Fit) -> None:
    tree = sampled_fit.tree.copy(deep=True)
    slope = tree["posterior"]["slope"]
    # One chain far from the others.
    slope[0] += 10 * float(slope.std())
    found = compose(findings(replace(sampled_fit, tree=tree)))
    assert "did not converge" in found.answer.first[0]
    assert "did not converge" in texts(found)


def test_chains_have_a_picture_and_quadrature_a_sentence(plain: Content, sampled_fit: Fit) -> None:
    assert "ranks" not in [p.slug for p in plain.pictures]
    assert "deterministic quadrature" in texts(plain)
    found = compose(findings(sampled_fit))
    assert "ranks" in [p.slug for p in found.pictures]
    assert "deterministic quadrature" not in texts(found)


def test_a_model_without_direct_effect_shows_none() -> None:
    found = compose(findings(fitted(simulated(6), direct_effect=False)))
    assert "Direct effect" not in table(found, "Effects by site").columns
    assert not [r for r in table(found, "Average effects").rows if "Direct" in r[0]]
    assert "no direct effect" in texts(found)


def test_long_tables_say_what_they_leave_out() -> None:
    found = compose(findings(fitted(simulated(100), draws=50)))
    for caption in ("Effects by site", "Estimates as used"):
        shown = table(found, caption)
        assert len(shown.rows) == 60
        assert "60 of 100 sites" in shown.note
        assert (shown.rows[0][0], shown.rows[-1][0]) == ("1", "100")


def test_pictures_have_words(plain: Content) -> None:
    assert [p.slug for p in plain.pictures] == [
        *("scatter", "forest", "priors", "estimators", "predicted", "refitted", "checks"),
    ]
    for picture in plain.pictures:
        assert isinstance(picture, Picture)
        assert picture.caption.endswith(".")
        assert len(picture.alternative) > 30


def test_a_slope_with_two_modes_is_told_before_the_sections() -> None:
    rng = np.random.default_rng(28)
    mediator, cov = rng.normal(0, 1, 5), np.diag([1.0, 0.05])
    noise = rng.multivariate_normal([0, 0], cov, 5)
    data = SiteEstimates.from_arrays(
        mediator_effect=mediator + noise[:, 0],
        total_effect=2 * mediator + rng.normal(0, 0.5, 5) + noise[:, 1],
        cov=np.tile(cov, (5, 1, 1)),
    )
    found = compose(findings(fitted(data)))
    assert any("has 2 modes" in note for note in found.answer.notes)


def test_how_the_estimates_were_computed_stands_with_the_data(plain_fit: Fit) -> None:
    made = "From <b>9</b> rows | of `persons`.\x1b"
    data = replace(plain_fit.data, derivation=made)
    content = compose(findings(replace(plain_fit, data=data)))
    (section,) = (s for s in content.sections if s.slug == "data")
    assert Paragraph(made) in section.blocks
    assert "From &lt;b&gt;9&lt;/b&gt; rows | of `persons`.\ufffd" in to_html(content)
    assert "From &lt;b&gt;9&lt;/b&gt; rows \\| of \\`persons\\`.\ufffd" in to_markdown(content)
    bare = compose(findings(plain_fit))
    (other,) = (s for s in bare.sections if s.slug == "data")
    assert len(other.blocks) == len(section.blocks) - 1
