"""A card for a table of site estimates, as text that reads back as the same columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bayesmed.cards.section import MAX_TEXT
from bayesmed.core.errors import CardError
from bayesmed.data import SiteColumns

__all__ = ["card_text"]

_TEXTS = (
    "site",
    "arm",
    "block",
    "weight",
    "n",
    "outcome",
    "outcome_scale",
    "total_effect",
    "total_effect_se",
)


def card_text(
    columns: SiteColumns, file: str, *, derivation: str = "", notes: Sequence[str] = ()
) -> str:
    """Return a card that fits the default model to a table of site estimates.

    Parameters
    ----------
    columns
        The roles of its columns.
    file
        The table, relative to the card's folder.
    derivation
        How the estimates were computed.
    notes
        What to keep in mind beside every result.

    Raises
    ------
    CardError
        If a name holds a character that no card can hold.

    Examples
    --------
    >>> from bayesmed.data import MediatorColumns
    >>> effort = MediatorColumns("effort", "g", se="g_se")
    >>> text = card_text(SiteColumns((effort,), "t", total_effect_se="t_se"), "sites.csv")
    >>> 'name = "effort"' in text
    True
    """
    lines = [
        "# `bayesmed new site_slope` prints a card with every choice explained.",
        '# title = "What the report is called."',
        '# assumptions = ["What the answer relies on, one sentence each."]',
        "",
        "[model]",
        'type = "site_slope"',
        'slope = "constant"       # or "random", "polynomial"',
        '# For mediators without a direct effect, in place of these two: type = "multi_site_iv"',
    ]
    if columns.covariates:
        listed = _list(columns.covariates)
        lines.append(f"# covariates = {listed}   # of the sites; they shift direct effects")
    lines += ["", *_data(columns, file, derivation, notes), *_mediators(columns)]
    lines += _covariances(columns)
    return "\n".join(lines) + "\n"


def _data(columns: SiteColumns, file: str, derivation: str, notes: Sequence[str]) -> list[str]:
    lines = ["[data]", f"file = {_text(file)}"]
    if derivation.strip():
        lines.append(f"derivation = {_text(_prose(derivation))}")
    if notes:
        lines.append(f"notes = {_list(map(_prose, notes))}")
    given = {key: getattr(columns, key) for key in _TEXTS}
    lines += [f"{key} = {_text(value)}" for key, value in given.items() if value is not None]
    if columns.total_effect_interval is not None:
        lines.append(f"total_effect_interval = {_list(columns.total_effect_interval)}")
    if columns.covariates:
        lines.append(f"covariates = {_list(columns.covariates)}")
    if columns.where:
        pairs = [f"{_text(key)} = {_text(value)}" for key, value in columns.where.items()]
        lines.append(f"where = {{ {', '.join(pairs)} }}")
    return lines


def _mediators(columns: SiteColumns) -> list[str]:
    lines = []
    for mediator in columns.mediators:
        lines += ["", "[[data.mediators]]"]
        given = {key: getattr(mediator, key) for key in ("name", "effect", "se", "cov", "corr")}
        lines += [f"{key} = {_text(value)}" for key, value in given.items() if value is not None]
        if mediator.interval is not None:
            lines.append(f"interval = {_list(mediator.interval)}")
    return lines


def _covariances(columns: SiteColumns) -> list[str]:
    lines = []
    for pair in columns.covariances:
        lines += ["", "[[data.covariances]]"]
        given = {key: getattr(pair, key) for key in ("first", "second", "cov", "corr")}
        lines += [f"{key} = {_text(value)}" for key, value in given.items() if value is not None]
    for item in columns.arm_covariances:
        rows = ", ".join(map(_list, item.columns))
        lines += ["", "[[data.arm_covariances]]", f"arm = {_text(item.arm)}", f"columns = [{rows}]"]
    return lines


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"


def _text(value: str) -> str:
    """Return a text as TOML writes it; JSON escapes all that TOML does but one character."""
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise CardError(
            f"No card can hold {value!a}.", "Take the character that is no text out of it."
        )
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _prose(text: str) -> str:
    """Return a sentence as a card takes it: of moderate length, without control characters."""
    shown = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return shown if len(shown) <= MAX_TEXT else f"{shown[: MAX_TEXT - 1]}…"
