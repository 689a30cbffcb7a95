"""Every public name, card, check and equation has its place in the documentation."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import bayesmed
from bayesmed.checks import CROSSWALK
from bayesmed.generative import MODELS
from tests.docs.pages import DOCS, extension

NAMES = [name for name in bayesmed.__all__ if name != "__version__"]
SECTION = re.compile(
    r"(?:Parameters|Attributes)\n-+\n(.*?)(?=\n\n[A-Z]\w+\n-+\n|\Z)", flags=re.DOTALL
)


def test_every_public_name_is_on_one_page_and_no_other_is() -> None:
    listed = [name for _, _, names in extension("api_pages").GROUPS.values() for name in names]
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example_that_doctest_runs(name: str) -> None:
    """Doctests of modules run with the others (pyproject.toml)."""
    value = getattr(bayesmed, name)
    assert value.__doc__ is not None  # its own, not one that it inherits
    _, heading, examples = (inspect.getdoc(value) or "").partition("\n\nExamples\n--------\n")
    assert heading
    assert ">>> " in examples
    assert Path(inspect.getfile(value)).is_relative_to(Path(bayesmed.__file__).parent)


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_of_a_public_name_is_described(name: str) -> None:
    """Under Parameters or, of what a verb returns, under Attributes."""
    value = getattr(bayesmed, name)
    if inspect.isclass(value) and issubclass(value, Exception):
        return
    words = set()
    for section in SECTION.findall(inspect.getdoc(value) or ""):
        lines = [line for line in section.splitlines() if re.fullmatch(r"\w[\w, ]*", line)]
        words |= {word.strip() for line in lines for word in line.split(",")}
    assert not set(inspect.signature(value).parameters) - words


def test_every_type_of_model_has_equations_and_every_card_a_page() -> None:
    equations = extension("equations")
    assert set(equations.EQUATIONS) == set(equations.PAPERS_OF) == set(MODELS)
    pages = dict(extension("card_pages").card_pages(DOCS.parent / "models"))
    assert set(pages) == {"cards/index.md"} | {f"cards/{n}.md" for n in bayesmed.card_names()}
    for name in bayesmed.card_names():
        page = pages[f"cards/{name}.md"]
        assert "$$" in page
        assert bayesmed.find_card(name).read_text(encoding="utf-8").rstrip() in page
        for sentence in bayesmed.load_card(bayesmed.find_card(name)).framing.assumptions:
            assert f"* {sentence}\n" in page


def test_links_of_cards_to_assumptions_lead_somewhere() -> None:
    pages = dict(extension("card_pages").card_pages(DOCS.parent / "models"))
    anchor = extension("card_pages")._anchor
    headings = re.findall(r"^## (.+)$", (DOCS / "assumptions.md").read_text("utf-8"), re.MULTILINE)
    linked = {x for page in pages.values() for x in re.findall(r"/assumptions\.md#([^)]+)\)", page)}
    assert linked
    assert linked <= {anchor(heading) for heading in headings}


def test_every_check_is_on_the_page_of_checks() -> None:
    page = (DOCS / "reference" / "checks.md").read_text(encoding="utf-8")
    codes = {code for assumption in CROSSWALK.values() for code in assumption.checks}
    said = inspect.getdoc(bayesmed.check) or ""
    codes |= {re.sub(r"\[.*", "", code) for code in re.findall(r"``([a-z_]+)(?:\[\w+\])?``", said)}
    assert len(codes) > 20
    assert not [code for code in codes if f"`{code}" not in page]


def test_every_shipped_equation_and_estimator_has_a_page() -> None:
    pages = dict(extension("formula_pages").formula_pages())
    root = Path(bayesmed.__file__).parent
    for room in ("formulas", "classical"):
        modules = {path.stem for path in (root / room).glob("*.py")} - {"__init__"}
        assert {f"{room}/{name}.rst" for name in modules} <= set(pages)


def test_the_command_line_is_described_by_itself() -> None:
    (path, page), *others = extension("cli_pages").cli_pages()
    assert (path, others) == ("command_line.md", [])
    assert all(f"## bayesmed {name}\n" in page for name in ("fit", "estimates", "simulate"))


def test_nothing_in_the_documentation_names_a_file_that_is_not_there() -> None:
    """Paths in code font that look like files of the repository."""
    root = DOCS.parent
    found = set()
    for path in DOCS.rglob("*.md"):
        if "generated" not in path.parts and "_build" not in path.parts:
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r"`((?:bayesmed|docs|tests|models)/[\w/.-]+)`", text))
    assert found
    written = "docs/generated"  # at every build
    assert not [name for name in found if name != written and not (root / name).exists()]


def test_pages_that_are_kept_are_listed_and_the_changelog_leads_to_them() -> None:
    stored = extension("stored_pages")
    pages = dict(stored.stored_pages(DOCS))
    for name in ("assumptions", "calibration", "checks"):
        assert f"{{doc}}`/{name}`" in pages["stored.md"]
    assert pages["changelog.md"].startswith("# Changelog\n")
    text = "[docs/a.md](docs/a.md) and [b](docs/b.md)"
    assert stored.linked(text, {"a"}) == "[docs/a.md](/a.md) and b"
