"""A sampled fit of several mediators, from estimates to the folder of results."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bayesmed.core.numbers import number
from bayesmed.inference import Fit, load_fit
from bayesmed.report import Results, write_results
from bayesmed.report.compose import compose
from bayesmed.report.content import Content
from bayesmed.report.findings import findings


@pytest.fixture(scope="module")
def written(iv_fit: Fit, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return write_results(iv_fit, tmp_path_factory.mktemp("iv") / "out")


@pytest.fixture(scope="module")
def content(iv_fit: Fit) -> Content:
    return compose(findings(iv_fit))


def test_the_folder_holds_every_effect_of_every_mediator(written: Results, iv_fit: Fit) -> None:
    table = pd.read_csv(written.directory / "effects.csv", keep_default_na=False)
    sizes = table.groupby("effect").size()
    for name in ("slope_of_site", "indirect_effect", "share_mediated", "mediator_effect"):
        assert sizes[name] == 12 * 2, name
    assert sizes["indirect_effect_all_mediators"] == sizes["total_effect"] == 12
    for name in ("acme", "cwate", "average_slope", "average_share_mediated"):
        assert sizes[name] == 2, name
    sites = load_fit(written.directory / "posterior.nc").tree["site_effects"]
    ratio = sites["indirect_effect"].mean("site") / sites["mediator_effect"].mean("site")
    medians = table[table["effect"] == "cwate"].set_index("mediator")["q50"]
    for mediator in iv_fit.data.mediators:
        expected = float(np.median(ratio.sel(mediator=mediator)))
        assert float(medians[mediator]) == pytest.approx(expected)


def test_page_and_text_say_what_is_assumed(written: Results, content: Content) -> None:
    page = (written.directory / "report.html").read_text(encoding="utf-8")
    text = (written.directory / "report.md").read_text(encoding="utf-8")
    for words in (
        "the multi-site, multiple-mediator instrumental variables model of Reardon and",
        "No mediator changes another one",
        "slope is the mediator's direct effect only",
        "compliance-weighted average treatment effect",
    ):
        assert words in text
        assert words.replace("'", "&#39;") in page
    assert page.count("<svg") == len(content.pictures)
    run = json.loads((written.directory / "run.json").read_text(encoding="utf-8"))
    assert run["model"]["type"] == "multi_site_iv"


def test_the_answer_is_that_of_the_draws(content: Content, iv_fit: Fit) -> None:
    total = iv_fit.tree["site_effects"]["total_effect"].mean("site")
    assert f"changes score by {number(float(total.mean()))} [" in content.answer.sentence
    for mediator in iv_fit.data.mediators:
        own = iv_fit.tree["site_effects"]["indirect_effect"].sel(mediator=mediator).mean("site")
        assert f"{number(float(own.mean()))} [" in content.answer.sentence


def test_pictures_stand_where_the_sites_do(content: Content) -> None:
    (section,) = (s for s in content.sections if s.slug == "picture")
    assert [block.slug for block in section.blocks] == ["scatter", "fan"]  # type: ignore[union-attr]
    assert "which is 0 at the origin" in content.pictures[1].caption
    assert "LDL and HDL" in content.pictures[1].alternative
