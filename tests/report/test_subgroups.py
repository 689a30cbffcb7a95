"""Reports of sites found in the data: the tree as it is laid out, names as text, all splits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bayesmed.inference import Sampler
from bayesmed.report import report
from bayesmed.report.content import Content
from bayesmed.report.figures.tree import causal_tree, places
from bayesmed.report.subgroups import found_content, splits_content, tree_picture
from bayesmed.studies.sensitivity import SplitSensitivity, split_sensitivity
from bayesmed.subgroups import (
    CausalTree,
    CompliancePropensity,
    FoundSites,
    find_sites,
    repeat_sites,
)
from tests.report.fits import HOSTILE
from tests.report.test_html import Page
from tests.subgroups.people import NAMES, rows, trial

# age < 30 | (age ≥ 30: (sex=man | sex=woman))
SPLITS = pd.DataFrame(
    {
        "split": [1, 2],
        "below": ["age < 30", "sex=man"],
        "above": ["age ≥ 30", "sex=woman"],
        "n_below": [10, 12],
        "n_above": [30, 18],
        "below_split": [0, 0],
        "below_site": ["age < 30", "age ≥ 30, sex=man"],
        "above_split": [2, 0],
        "above_site": ["", "age ≥ 30, sex=woman"],
    }
)


@pytest.fixture(scope="module")
def found() -> FoundSites:
    return find_sites(rows(trial()), CausalTree(leaves=5, categorical=NAMES), seed=1)


@pytest.fixture(scope="module")
def studied() -> SplitSensitivity:
    how = CausalTree(leaves=4, categorical=NAMES)
    repeated = repeat_sites(rows(trial(n=2000)), how, splits=3, seed=1)
    with ThreadPoolExecutor(1) as own:
        sampler = Sampler(engine="exact", draws=200)
        return split_sensitivity(repeated, sampler=sampler, seed=1, executor=own)


def text(content: Content) -> str:
    said = [content.title, content.answer.sentence, *content.answer.first, *content.answer.notes]
    for table in content.tables:
        said += [table.caption, *table.columns, *(cell for row in table.rows for cell in row)]
    return "\n".join([*said, *(p.alternative for p in content.pictures)])


def test_a_tree_is_laid_out_with_parents_between_their_sides() -> None:
    laid = places(SPLITS)
    assert [p.label for p in laid] == ["everybody", "age < 30", "age ≥ 30", "sex=man", "sex=woman"]
    assert [p.depth for p in laid] == [0, 1, 1, 2, 2]
    assert [p.row for p in laid] == [0.75, 0.0, 1.5, 1.0, 2.0]
    assert [p.parent for p in laid] == [None, 0, 0, 2, 2]
    assert [p.persons for p in laid] == [40, 10, 30, 12, 18]
    leaves = [p.site for p in laid if p.site]
    assert leaves == ["age < 30", "age ≥ 30, sex=man", "age ≥ 30, sex=woman"]


def test_the_picture_has_the_effects_of_every_leaf_that_was_estimated() -> None:
    effects = {"effect on m": {"age < 30": (1.0, 0.1), "age ≥ 30, sex=man": (-2.0, 0.2)}}
    figure = causal_tree(SPLITS, effects)
    assert isinstance(figure, Figure)
    tree, beside = figure.axes
    drawn = sorted(line.get_xdata()[0] for line in beside.lines if line.get_marker() == "o")
    assert drawn == [-2.0, 1.0]
    assert [t.get_text() for t in beside.texts] == ["dropped"]
    assert {t.get_text() for t in tree.texts} >= {"everybody", "sex=woman", "18 persons"}


def test_the_tree_of_the_data_is_the_tree_of_the_picture(found: FoundSites) -> None:
    laid = places(found.splits)
    sites = [p.site for p in laid if p.site]
    assert sorted(sites) == sorted(found.estimates.site)
    assert len([p for p in laid if not p.site]) == len(found.splits)
    (picture,) = tree_picture(found)
    assert all(site in picture.alternative for site in sites)
    assert len(picture.draw().axes) == 3


def test_a_report_of_sites_says_how_they_were_found(found: FoundSites, tmp_path: Path) -> None:
    content = found_content(found)
    said = text(content)
    assert "with other persons than those in them" in said
    assert all(site in said for site in found.estimates.site)
    assert f"seed {found.seed}" in content.made
    for ending in (".html", ".md"):
        report(found, tmp_path / f"found{ending}")
    page = Page((tmp_path / "found.html").read_text(encoding="utf-8"))
    assert sum(tag == "svg" for tag, _ in page.tags) == 1


def test_strata_have_coefficients_and_no_tree() -> None:
    how = CompliancePropensity(groups=3, categorical=NAMES)
    content = found_content(find_sites(rows(trial(n=1500)), how, seed=1))
    assert not content.pictures
    assert "What predicts effects on mediators" in text(content)


def test_a_report_of_splits_has_them_all(studied: SplitSensitivity, tmp_path: Path) -> None:
    content = splits_content(studied)
    row = studied.combined().iloc[0]
    assert "over 3 random splits" in content.answer.sentence
    assert f"{round(3 * row['share_positive'])} of 3 above 0" in content.answer.sentence
    values = next(t for t in content.tables if t.caption == "Estimates in each split")
    assert {cells[0] for cells in values.rows} == {"1", "2", "3"}
    assert [p.slug for p in content.pictures][-1] == "tree"
    report(studied, tmp_path / "splits.html")
    assert "<svg" in (tmp_path / "splits.html").read_text(encoding="utf-8")


def test_what_failed_comes_first(studied: SplitSensitivity) -> None:
    table = studied.table()
    table["converged"] = table["split"] != 1
    failed = pd.DataFrame({"split_seed": [5], "error": ["All are in one leaf."]})
    first = splits_content(replace(studied, estimates=table, failed=failed)).answer.first
    assert first[0] == "1 split did not converge and is left out."
    assert first[1] == "1 split has no answer; the first says: All are in one leaf."


def test_splits_without_any_answer_say_so(studied: SplitSensitivity) -> None:
    for estimates in (studied.table().assign(converged=False), pd.DataFrame()):
        content = splits_content(replace(studied, estimates=estimates))
        assert content.answer.sentence == "No split has an answer that converged."
        assert [section.slug for section in content.sections] == ["columns"]


def test_every_arm_has_its_effects_in_the_picture() -> None:
    people = trial(n=3000)
    people["t"] = np.arange(3000) % 3
    people["m"] = people.m + people.t * (people.age >= 40)
    found = find_sites(rows(people, site=("age",), reference="0"), CausalTree(leaves=2), seed=1)
    data = found.estimates
    assert data.arm is not None
    (picture,) = tree_picture(found)
    panels = picture.draw().axes[1:]
    labels = [panel.get_xlabel().replace("\n", " ") for panel in panels]
    assert labels == [f"effect on {v}, {arm}" for arm in ("1", "2") for v in ("m", "y")]
    for k, panel in enumerate(panels):
        own = [i for i in range(data.n_rows) if data.arm[i] == ("1", "2")[k // 2]]
        values = data.total_effect[own] if k % 2 else data.mediator_effect[own, 0]
        drawn = sorted(x.get_xdata()[0] for x in panel.lines if x.get_marker() == "o")
        np.testing.assert_allclose(drawn, np.sort(values))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(found: FoundSites, name: str, tmp_path: Path) -> None:
    sites = tuple(f"{name} {i}" for i, _ in enumerate(found.estimates.site))
    named = dict(zip(found.estimates.site, sites, strict=True))
    splits = found.splits.replace({"below_site": named, "above_site": named})
    splits = splits.assign(below=name, above=f"{name}≥", among=name)
    estimates = replace(found.estimates, site=sites)
    hostile = replace(found, splits=splits, reduction=replace(found.reduction, estimates=estimates))
    report(hostile, tmp_path / "found.html")
    page = Page((tmp_path / "found.html").read_text(encoding="utf-8"))
    assert not {"script", "img", "b", "i"} & {tag for tag, _ in page.tags}


def test_names_from_rows_are_text(tmp_path: Path) -> None:
    name = HOSTILE[0]
    people = trial(n=1200).replace({"region": {"North": name}})
    named = rows(people.rename(columns={"age": f"age {name}"}), site=(f"age {name}", "region"))
    sites = find_sites(named, CausalTree(leaves=3, categorical="region", depth=2), seed=1)
    assert any(name in site for site in sites.estimates.site)
    report(sites, tmp_path / "found.html")
    page = Page((tmp_path / "found.html").read_text(encoding="utf-8"))
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
