"""A page for every shipped model card: question, equations, priors, assumptions, and the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from equations import EQUATIONS, PAPERS_OF

from bayesmed.cards import Card, load_card
from bayesmed.checks import CROSSWALK, PAPERS
from bayesmed.generative import MODELS


def card_pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield a list of the cards in a folder and a page for each."""
    cards = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    lines = [
        "# Model cards",
        "",
        "A card is one TOML file that says which question, which data, which model, which priors.",
        "`bayesmed fit NAME` runs those that come with data; `bayesmed new NAME` prints one.",
        "How to write one: {doc}`/howto/write_a_card`.",
        "",
        "| card | question | model |",
        "| --- | --- | --- |",
    ]
    for name, path in cards.items():
        card = load_card(path)
        kind = type(card.model).__name__
        lines.append(f"| {{doc}}`{name}` | {card.framing.question} | `{kind}` |")
    lines += ["", "```{toctree}", ":hidden:", "", *cards, "```", ""]
    yield "cards/index.md", "\n".join(lines)
    for name, path in cards.items():
        yield f"cards/{name}.md", _page(name, path, load_card(path))


def _page(name: str, path: Path, card: Card) -> str:
    kind = next(key for key, made in MODELS.items() if made is type(card.model))
    said = card.framing
    lines = [f"# {name}: {said.title}", "", f"**Question.** {said.question}", ""]
    if said.published:
        lines += [f"**Published.** {said.published}", ""]
    lines += ["## Model", "", f"{{doc}}`{type(card.model).__name__} <{_reference(card)}>`", ""]
    lines += EQUATIONS[kind].strip().splitlines()
    lines += ["", *_choices(card.model), "", "## Priors", "", *_priors(card.model), ""]
    lines += ["## What the answer relies on", "", *(f"* {one}" for one in said.assumptions), ""]
    lines += _crosswalk(kind)
    lines += [
        "",
        "## The card",
        "",
        "```toml",
        path.read_text(encoding="utf-8").rstrip(),
        "```",
        "",
    ]
    return "\n".join(lines)


def _reference(card: Card) -> str:
    return f"/generated/api/class_{type(card.model).__name__}"


def _choices(model: Any) -> list[str]:
    """Return the choices of a model, those that differ from the default in bold."""
    usual = type(model)()
    rows = ["| choice | value |", "| --- | --- |"]
    for field in fields(model):
        if field.name != "priors":
            value = getattr(model, field.name)
            text = f"`{value!r}`" if value != () else "none"
            differs = value != getattr(usual, field.name)
            rows.append(f"| `{field.name}` | {f'**{text}**' if differs else text} |")
    return rows


def _priors(model: Any) -> list[str]:
    priors: Mapping[str, Any] = model.priors
    rest = "Default priors are scaled to the data; reports print them in units of the data."
    if not priors:
        return [rest]
    rows = ["| parameter | prior |", "| --- | --- |"]
    rows += [f"| `{name}` | `{prior!r}` |" for name, prior in priors.items()]
    return [*rows, "", f"The others: {rest[0].lower()}{rest[1:]}"]


def _crosswalk(kind: str) -> list[str]:
    """Return the assumptions that the model's papers number, with links to what they say."""
    papers = PAPERS_OF[kind]
    rows = [
        "Assumptions of the papers this model comes from, whatever the card gives up.",
        "`ledger(fit)` says which of them a fit makes.",
        "",
        f"| assumption | {' | '.join(PAPERS[paper] for paper in papers)} | in data |",
        f"| --- |{' --- |' * (len(papers) + 1)}",
    ]
    for found in CROSSWALK.values():
        if any(paper in found.papers for paper in papers):
            cells = [found.papers.get(paper, "") for paper in papers]
            link = f"[{found.name}](/assumptions.md#{_anchor(found.name)})"
            rows.append(f"| {' | '.join([link, *cells, found.knowable])} |")
    return rows


_KEPT: Final = {"-", "_", " "}


def _anchor(title: str) -> str:
    """Return the anchor that GitHub and MyST give a heading."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in _KEPT)
    return kept.replace(" ", "-")
