"""A region of practical equivalence in sentence, picture, card and folder; never a verdict."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bayesmed.cards import Framing, load_card
from bayesmed.core.errors import CardError, ModelError
from bayesmed.core.numbers import probability
from bayesmed.effects import Rope, effects, practical_equivalence
from bayesmed.inference import Fit
from bayesmed.report import report, rewrite_reports, write_results
from bayesmed.report.compose import compose
from bayesmed.report.figures.region import region
from bayesmed.report.findings import findings
from tests.report.test_assumptions import over_correlation
from tests.variants import variant_fit

ROPE = Rope(0.2, 0.7)
CARD = """
[model]
type = "site_slope"
[data]
dataset = "berkey1998"
outcome = "y"
total_effect = "tau_hat"
total_effect_se = "tau_se"
[[data.mediators]]
name = "PD"
effect = "gamma_hat"
se = "gamma_se"
"""


def test_the_answer_says_three_probabilities_and_no_verdict(plain_fit: Fit) -> None:
    share = practical_equivalence(effects(plain_fit), ROPE)
    said = compose(findings(plain_fit, Framing(rope=ROPE))).answer.region
    for value in (share.below, share.inside, share.above):
        assert probability(value) in said
    assert "0.2 to 0.7" in said
    assert not re.search("significan|reject|accept|equivalent|no effect", said)


def test_without_a_region_nothing_is_said(plain_fit: Fit) -> None:
    found = compose(findings(plain_fit))
    assert found.answer.region == ""
    assert "region" not in [p.slug for p in found.pictures]


@pytest.mark.parametrize("effect", ["acme[HDL]", "indirect_effect[site 2, HDL]", ""])
def test_the_effect_is_named_in_words(effect: str) -> None:
    said = compose(
        findings(variant_fit("two mediators"), Framing(rope=Rope(0, 1, effect)))
    ).answer.region
    wanted = {"acme[HDL]": "through HDL, over the sites", "": "through all mediators"}
    assert wanted.get(effect, "(site 2, HDL)") in said


def test_the_picture_fills_the_region_and_writes_the_numbers(plain_fit: Fit) -> None:
    share = practical_equivalence(effects(plain_fit), ROPE)
    (axes,) = region(share, "an effect").axes
    span = axes.patches[0].get_bbox()
    assert (span.x0, span.x1) == (0.2, 0.7)
    x, y = axes.lines[0].get_data()
    within = (x >= 0.2) & (x <= 0.7)
    assert np.trapezoid(y[within], x[within]) == pytest.approx(share.inside, abs=0.05)
    texts = " ".join(t.get_text() for t in axes.texts)
    assert probability(share.inside) in texts


def test_two_numbers_are_enough(plain_fit: Fit, tmp_path: Path) -> None:
    report(plain_fit, tmp_path / "a.md", rope=(0.2, 0.7))
    report(plain_fit, tmp_path / "b.md", framing=Framing(rope=ROPE))
    assert (tmp_path / "a.md").read_text("utf-8") == (tmp_path / "b.md").read_text("utf-8")
    assert "region of practical equivalence, 0.2 to 0.7" in (tmp_path / "a.md").read_text("utf-8")


def test_a_study_has_no_region(plain_fit: Fit, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="for the report of a fit"):
        report(over_correlation(plain_fit), tmp_path / "a.html", rope=(0, 1))
    assert not (tmp_path / "a.html").exists()


def test_the_folder_keeps_it_and_another_may_take_its_place(plain_fit: Fit, tmp_path: Path) -> None:
    written = write_results(plain_fit, tmp_path / "out", framing=Framing(rope=ROPE))
    run = json.loads((written.directory / "run.json").read_text("utf-8"))
    assert run["framing"]["rope"] == {"low": 0.2, "high": 0.7, "effect": ""}
    assert run["region"] == written.answer.region
    assert rewrite_reports(written.directory).answer.region == written.answer.region
    other = rewrite_reports(written.directory, rope=Rope(-1, 0)).answer.region
    assert "-1 to 0" in other
    kept = json.loads((written.directory / "run.json").read_text("utf-8"))
    assert kept == run | {
        "framing": run["framing"] | {"rope": {"low": -1, "high": 0, "effect": ""}},
        "region": other,
    }
    assert rewrite_reports(written.directory).answer.region == other


def test_a_card_may_have_one(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(CARD + '[rope]\nlow = -0.1\nhigh = 0.1\neffect = "acme"\n')
    assert load_card(path).framing.rope == Rope(-0.1, 0.1, "acme")
    path.write_text(CARD)
    assert load_card(path).framing.rope is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("low = 1\nhigh = 0", r"\[rope\].*lower one first"),
        ("low = 1", "rope.high is missing"),
        ("low = 'a'\nhigh = 0", "rope.low.*finite number"),
        ("low = 0\nhigh = 1\nwide = 2", "'rope.wide' is not known"),
    ],
)
def test_a_card_with_an_impossible_one_is_refused(lines: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(f"{CARD}[rope]\n{lines}\n")
    with pytest.raises(CardError, match=said):
        load_card(path)
