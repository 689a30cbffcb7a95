"""The model cards that ship with bayesmed, one TOML file each."""

from __future__ import annotations

from pathlib import Path

from bayesmed.core.errors import CardError, nearest

_PACKAGE = Path(__file__).resolve().parents[1]


def card_names() -> tuple[str, ...]:
    """Names of the shipped cards, in alphabetical order.

    Examples
    --------
    >>> "site_slope" in card_names()
    True
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def find_card(name: str) -> Path:
    """Return the file of a shipped card.

    Parameters
    ----------
    name
        A name that `card_names` lists.

    Raises
    ------
    CardError
        If no shipped card has this name; the message offers the nearest one.

    Examples
    --------
    >>> find_card("site_slope").name
    'site_slope.toml'
    """
    names = card_names()
    if name not in names:
        raise CardError(f"There is no shipped model card {name!r}.", nearest(name, names))
    return _folder() / f"{name}.toml"


def new_card(name: str = "site_slope") -> str:
    """Return the text of a shipped card, with its comments, to save and edit.

    Parameters
    ----------
    name
        A name that `card_names` lists.

    Raises
    ------
    CardError
        If no shipped card has this name.

    Examples
    --------
    >>> "[[data.mediators]]" in new_card("site_slope")
    True
    """
    return find_card(name).read_text(encoding="utf-8")


def _folder() -> Path:
    # A wheel carries the cards inside the package; a checkout has them beside it.
    inside = _PACKAGE / "models"
    return inside if inside.is_dir() else _PACKAGE.parent / "models"
