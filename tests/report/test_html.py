"""The page is one file, valid in structure, and names from data are text in it."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bayesmed.inference import Fit
from bayesmed.report import report
from bayesmed.report.plain import plain
from tests.report.fits import HOSTILE, HOSTILE_MEDIATOR, HOSTILE_OUTCOME, fitted, simulated

VOID = {"meta", "br", "hr", "img", "link", "input"}
ATTRIBUTES_THAT_LOAD = {"src", "srcset", "href", "data", "action", "poster", "background"}
KNOWN_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "nav"),
    *("footer", "figure", "figcaption", "h1", "h2", "p", "ul", "li", "a", "div", "table"),
    *("caption", "thead", "tbody", "tr", "th", "td", "ol", "pre", "code"),
    *("svg", "g", "defs", "path", "use", "text", "tspan", "clippath", "rect", "image"),
}


class Page(HTMLParser):
    """Tags with their attributes, text by tag, and the check that every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"attribute given twice in <{tag}>"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def named(self, *names: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in names]

    def text(self, *inside: str) -> list[str]:
        return [data for tag, data in self.texts if tag in inside]


@pytest.fixture(scope="session")
def hostile_html(hostile_fit: Fit, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    report(hostile_fit, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def hostile_page(hostile_html: str) -> Page:
    return Page(hostile_html)


def test_every_tag_is_closed_and_one_this_report_uses(hostile_page: Page) -> None:
    assert hostile_page.open == []
    assert {tag for tag, _ in hostile_page.tags} <= KNOWN_TAGS


def test_no_attribute_runs_or_loads_anything(hostile_page: Page) -> None:
    for tag, attrs in hostile_page.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ATTRIBUTES_THAT_LOAD & set(attrs):
            value = attrs[name] or ""
            assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value)


def test_no_style_reaches_out_of_the_page(hostile_html: str, hostile_page: Page) -> None:
    styles = hostile_page.text("style")
    styles += [attrs.get("style") or "" for _, attrs in hostile_page.tags]
    assert not [s for s in styles if "@import" in s or re.search(r"url\((?!#)", s)]
    policy = next(a for a in hostile_page.named("meta") if "http-equiv" in a)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    # Addresses appear where a name holds one, and nowhere else.
    assert set(re.findall(r"https?://[^\s<\")]*", hostile_html)) <= {
        "http://evil.example",
        "http://evil.example/",
    }


def test_hostile_names_are_text_in_tables_and_pictures(hostile_page: Page) -> None:
    cells = {t.strip() for t in hostile_page.text("th")}
    assert {plain(name).strip() for name in HOSTILE} <= cells
    drawn = set(hostile_page.text("text"))
    short = {plain(n) for n in HOSTILE if len(n) <= 30}
    assert short <= drawn
    heading = "".join(hostile_page.text("h1"))
    assert HOSTILE_MEDIATOR in heading
    assert HOSTILE_OUTCOME.strip() in heading


def test_ids_are_unique_and_references_lead_to_them(hostile_page: Page) -> None:
    ids = [attrs["id"] for _, attrs in hostile_page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {a["href"][1:] for a in hostile_page.named("a", "use") if a.get("href")}
    wanted |= {a["aria-labelledby"] for a in hostile_page.named("section")}
    for _, attrs in hostile_page.tags:
        wanted |= set(re.findall(r"url\(#([^)]+)\)", " ".join(v or "" for v in attrs.values())))
    assert wanted <= set(ids)


def test_headings_go_down_one_step_at_a_time_from_one_title(hostile_page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in hostile_page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_picture_says_what_it_shows(hostile_page: Page) -> None:
    pictures = hostile_page.named("svg")
    assert len(pictures) == 7
    assert all(a["role"] == "img" and len(a["aria-label"] or "") > 30 for a in pictures)
    # The only pixels are those inside a picture that has its words.
    assert not hostile_page.named("img")
    assert all("viewbox" in a for a in pictures)


def test_tables_have_headings_and_scroll_in_a_box_a_keyboard_reaches(hostile_page: Page) -> None:
    tables = len(hostile_page.named("table"))
    regions = [a for a in hostile_page.named("div") if a.get("role") == "region"]
    assert len(hostile_page.text("caption")) == tables
    assert len(regions) == tables + len(hostile_page.named("svg"))
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in regions)
    assert {a["scope"] for a in hostile_page.named("th")} == {"col", "row"}


def test_a_template_in_a_name_is_not_run(hostile_html: str) -> None:
    assert "{{ 7 * 7 }}" in hostile_html


def test_the_same_fit_gives_the_same_bytes(plain_fit: Fit, tmp_path: Path) -> None:
    for suffix in (".html", ".md"):
        one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
        report(plain_fit, one)
        report(plain_fit, two)
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("direct_effect", [True, False])
@pytest.mark.parametrize(("n", "se"), [(2, (0.1, 0.2)), (3, (0.0, 0.2)), (400, (0.1, 0.2))])
def test_any_shape_of_data_gives_a_whole_page(
    n: int, se: tuple[float, float], direct_effect: bool, page: Path
) -> None:
    fit = fitted(simulated(n, se=se), direct_effect=direct_effect, draws=50)
    report(fit, page)
    found = Page(page.read_text(encoding="utf-8"))
    assert found.open == []
    # With two sites nothing may be left to compare.
    assert len(found.named("svg")) in (6, 7)
    assert not [t for t in found.text("td", "th", "p") if re.search(r"\bnan\b|\binf\b", t)]


def test_exact_estimates_and_missing_covariances_are_reported(page: Path) -> None:
    report(fitted(simulated(4, se=(0.0, 0.0)), draws=50), page)
    assert "known without error here" in page.read_text(encoding="utf-8")
    data = simulated(6, corr=0.0, covariance_given=False)
    report(fitted(data, draws=50), page)
    text = page.read_text(encoding="utf-8")
    assert "was not given: taken as 0" in text
    assert "How the slope moves with the correlation" in text


def test_a_page_of_very_many_sites_stays_small_and_says_what_it_leaves_out(page: Path) -> None:
    n = 2_000
    report(fitted(simulated(n), draws=5), page)
    html = page.read_text(encoding="utf-8")
    assert len(html) < 2_000_000
    assert len(Page(html).named("tr")) < 250
    for told in (
        "60 of 2,000 sites, evenly spread from",
        "60 of 2,000 sites, evenly spread.",
        "Bars for 120 of 2,000 sites",
    ):
        assert told in html
