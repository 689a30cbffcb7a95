"""The page of assumptions, of what the package itself says of them.

python -m tests.docs.assumptions   # writes docs/assumptions.md
"""

from __future__ import annotations

from pathlib import Path

from bayesmed.checks import CROSSWALK, PAPERS, SOURCES, Assumption

PAGE = Path(__file__).parents[2] / "docs" / "assumptions.md"


def page() -> str:
    """Return the crosswalk as Markdown."""
    head = f"| assumption | {' | '.join(PAPERS.values())} | in data |"
    rule = f"| --- |{' --- |' * (len(PAPERS) + 1)}"
    lines = [
        "# What models assume",
        "",
        "Every assumption under one name, with its number in each paper. `ledger(fit)` says what",
        "becomes of those of a fit: its table has these codes. `python -m tests.docs.assumptions`",
        "writes this page from the package.",
        "",
        *(f"* {PAPERS[paper]}: {source}." for paper, source in SOURCES.items()),
        "",
        "For one site Reardon and Raudenbush print (iv) twice and refer to the second as (v); what",
        "they print as (v) is their (vi).",
        "",
        head,
        rule,
        *(_row(assumption) for assumption in CROSSWALK.values()),
        "",
    ]
    for assumption in CROSSWALK.values():
        lines += _section(assumption)
    return "\n".join(lines)


def _row(assumption: Assumption) -> str:
    cells = [assumption.papers.get(paper, "") for paper in PAPERS]
    return f"| {' | '.join([assumption.name, *cells, assumption.knowable])} |"


def _section(assumption: Assumption) -> list[str]:
    known = [
        f"* Checks: {', '.join(f'`{code}`' for code in assumption.checks)}."
        if assumption.checks
        else "",
        f"* A study speaks to it: {assumption.study}." if assumption.study else "",
        f"* What is not seen: {assumption.blind}" if assumption.blind else "",
    ]
    return [
        f"## {assumption.name}",
        "",
        f"`{assumption.code}`. {assumption.statement}",
        "",
        f"* If it fails: {assumption.consequence}",
        *(line for line in known if line),
        "",
    ]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
