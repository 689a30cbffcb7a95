"""Published tables that ship with the package; `tables/README.md` says where each is from."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.cells import as_numbers
from bayesmed.data.reading import table_from_csv_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dataset_names", "load_dataset"]

_NAMES = ("berkey1998", "colombia_vouchers", "mechte_example")


def dataset_names() -> tuple[str, ...]:
    """Return the names that `load_dataset` knows.

    Examples
    --------
    >>> dataset_names()
    ('berkey1998', 'colombia_vouchers', 'mechte_example')
    """
    return _NAMES


def load_dataset(name: str) -> pd.DataFrame:
    """Load a table of site estimates that ships with the package.

    Parameters
    ----------
    name
        * ``"berkey1998"``: five trials of surgical against non-surgical treatment of
          periodontal disease (Berkey et al. 1998).
        * ``"colombia_vouchers"``: lotteries of school vouchers in three cohorts, two mediators
          by three outcomes stacked (Angrist et al. 2002); choose one pair with
          ``SiteColumns.where``.
        * ``"mechte_example"``: 100 rows, the example of the R package mechte (Fu).

    Returns
    -------
    DataFrame
        A fresh copy; names of sites are text where they are not numbers.

    Raises
    ------
    DataError
        If there is no such table.

    Examples
    --------
    >>> load_dataset("berkey1998").shape
    (5, 8)
    """
    import pandas as pd

    # Only names of the list reach the file system, so no name can lead out of the folder.
    if name not in _NAMES:
        raise DataError(f"There is no data set {name!r}.", nearest(str(name), _NAMES))
    file = resources.files("bayesmed.data") / "tables" / f"{name}.csv"
    table = table_from_csv_text(file.read_text(encoding="utf-8"), name)
    columns: dict[str, object] = {}
    for column, cells in table.columns.items():
        numbers = as_numbers(cells)
        if isinstance(numbers, tuple):
            columns[column] = list(cells)
        else:
            whole = all(str(cell).lstrip("-").isdigit() for cell in cells)
            columns[column] = numbers.astype("int64") if whole else numbers
    return pd.DataFrame(columns)
