r"""Tables by great-tables hold every cell as text, on pages and in LaTeX."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bayesmed.cards import Framing
from bayesmed.checks import ledger
from bayesmed.core.errors import ModelError
from bayesmed.effects import Rope, compare
from bayesmed.generative import CovariateIV
from bayesmed.report import table
from bayesmed.report.compose import compose
from bayesmed.report.content import Table
from bayesmed.report.findings import findings
from bayesmed.report.great import MANY_WORDS, great_table, page_table
from bayesmed.report.plain import plain
from bayesmed.report.results import FILES, TABLES
from bayesmed.report.shown import write_shown
from tests.browser.reports import (
    assumptions,
    calibration,
    found_sites,
    priors,
    simulation,
    split_study,
    splits,
)
from tests.generative.covariate_ivs import data_for
from tests.report.fits import HOSTILE, HOSTILE_OUTCOME
from tests.trial_fits import made
from tests.variants import variant_fit

EVIL = (*HOSTILE, HOSTILE_OUTCOME, "{{x^2}}", "{{<script>1</script>}}")


def hostile(columns: int = 3, texts: tuple[int, ...] = (0,)) -> Table:
    rows = tuple((name, *EVIL[: columns - 1]) for name in EVIL)
    return Table(EVIL[0], EVIL[-columns:], rows, texts, note=EVIL[-1])


def test_cells_headings_and_caption_are_those_of_the_table() -> None:
    own = hostile()
    root = ET.fromstring(page_table(own))
    assert root.find("caption").text == plain(own.caption)
    # A mark that joins words keeps braces apart, which would be read as units.
    heads = [(e.text or "").replace("\u2060", "") for e in root.find("thead").iter("th")]
    assert heads == [plain(c) for c in own.columns]
    rows = [[e.text or "" for e in row] for row in root.find("tbody")]
    assert rows == [[plain(c) for c in row] for row in own.rows]
    assert {e.tag for e in root.iter()} == {
        *("table", "caption", "thead", "tbody", "tr", "th", "td")
    }


def test_no_name_becomes_markup_in_what_a_notebook_shows() -> None:
    html = great_table(hostile()).as_raw_html()
    html = html[html.index("<table") :]
    assert set(re.findall(r"<(\w+)", html)) == {
        *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "span")
    }


def test_words_stand_left_and_numbers_right() -> None:
    root = ET.fromstring(page_table(Table("c", ("A", "B", "n"), (("a", "b", "1"),), texts=(0, 1))))
    assert [e.get("class") for e in root.find("tbody")[0]] == ["text", "text", None]


def test_only_tables_of_words_are_stacked_and_stay_tables() -> None:
    few = ET.fromstring(page_table(hostile(texts=tuple(range(MANY_WORDS - 1)))))
    many = ET.fromstring(page_table(hostile(texts=tuple(range(MANY_WORDS)))))
    assert few.get("class") is None
    assert many.get("class") == "stack"
    assert all(e.get("role") for e in many.iter() if e.tag != "caption")
    assert [e.get("data-label") for e in many.find("tbody")[0]][1:] == [
        plain(c) for c in hostile().columns[1:]
    ]


def test_every_table_of_a_fit_is_that_of_its_report() -> None:
    fit = variant_fit("two mediators")
    content = compose(findings(fit))
    named = {t.slug: t for t in content.tables if t.slug}
    assert set(named) == set(TABLES)
    for slug, own in named.items():
        assert table(fit, slug).as_latex() == great_table(own).as_latex()


def test_every_table_of_a_trial_is_that_of_its_report() -> None:
    fit = made(CovariateIV(), data_for("default"), shape=(2, 200))
    named = {t.slug: t for t in compose(findings(fit)).tables if t.slug}
    assert set(named) == set(TABLES) - {"sites"}
    for slug in ("effects", "estimators", "scaling"):
        assert table(fit, slug).as_latex() == great_table(named[slug]).as_latex()


def test_comparisons_and_ledgers_are_tables_too() -> None:
    fit = variant_fit("constant")
    assert table(compare(fit)).as_latex() == table(fit, "estimators").as_latex()
    assert table(ledger(fit)).as_latex() == table(fit, "assumptions").as_latex()


def test_tables_of_studies_are_those_of_their_reports() -> None:
    for make in (found_sites, splits, calibration, simulation, priors, assumptions):
        content = make()
        slugs = [t.slug for t in content.tables if t.slug]
        assert slugs, make
        assert len(set(slugs)) == len(slugs)
        assert all(re.fullmatch("[a-z0-9-]+", slug) for slug in slugs)
    found = split_study().repeated.found[0]
    own = {t.slug: t for t in found_sites().tables}
    assert table(found).as_latex() == great_table(own["sites"]).as_latex()
    assert table(found, "splits").as_latex() == great_table(own["splits"]).as_latex()


def test_few_draws_have_no_table_of_scaled_priors() -> None:
    with pytest.raises(ModelError, match="do not tell how priors count"):
        table(made(CovariateIV(), data_for("default")), "scaling")


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(ModelError, match="Did you mean 'effects'"):
        table(variant_fit("constant"), "efects")
    with pytest.raises(ModelError, match="nothing to show of a float"):
        table(1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["random", "two mediators", "multi-site IV"])
def test_files_of_figures_and_tables_are_those_of_the_report(name: str, tmp_path: Path) -> None:
    content = compose(findings(variant_fit(name), Framing(rope=Rope(0, 1))))
    write_shown(content, tmp_path)
    found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")}
    assert found <= set(FILES)
    pictures = {f"figures/{p.slug}.png" for p in content.pictures}
    assert {f for f in found if f.endswith(".png")} == pictures
    assert all((tmp_path / p).read_bytes().startswith(b"\x89PNG") for p in pictures)
