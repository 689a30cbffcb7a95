"""The verb ``report``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bayesmed.cards import Framing
from bayesmed.core.errors import ModelError, StorageError
from bayesmed.effects import Rope
from bayesmed.inference import Fit
from bayesmed.report.content import Content
from bayesmed.report.contents import Reported, content_of
from bayesmed.report.folder import replace_file
from bayesmed.report.html import to_html
from bayesmed.report.markdown import to_markdown

FORMATS: Mapping[str, Callable[[Content], str]] = {".html": to_html, ".md": to_markdown}


def report(
    fit: Reported,
    path: str | os.PathLike[str],
    *,
    framing: Framing | None = None,
    rope: Rope | tuple[float, float] | None = None,
) -> None:
    """Write a report of a fit: the answer, the pictures, and everything they rest on.

    Parameters
    ----------
    fit
        What to report: a fit, what `prior_sensitivity` or `assumption_sensitivity` found about
        one, sites of `find_sites`, what `split_sensitivity` found about them, what `calibrate`
        found about a model, or a study by `simulate` or `design_analysis`.
    path
        A file that ends in ``.html`` (one self-contained page) or ``.md``. One that is there is
        replaced when the new one is complete.
    framing
        Title, question, published source and assumptions; words made from the data without it.
    rope
        A region of practical equivalence: the report of a fit says how much of the posterior lies
        in it, below and above. Two numbers are about the average indirect effect.

    Raises
    ------
    StorageError
        If the suffix is another one, or the place cannot be written.
    ModelError
        If the region is not possible, or given for anything but a fit; if there is no report of
        such a thing.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> fitted = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report(fitted, folder + "/report.md")
    ...     Path(folder, "report.md").read_text(encoding="utf-8")[:35]
    '# Effects on outcome through mediat'
    """
    _writer(Path(path))  # a wrong suffix is refused before the work
    region = _region(rope)
    if region is not None:
        if not isinstance(fit, Fit):
            raise ModelError(
                "A region of practical equivalence is for the report of a fit.",
                "Report the fit with it, and the study without.",
            )
        framing = replace(framing or Framing(), rope=region)
    write_content(content_of(fit, framing), [path])


def _region(rope: Rope | Sequence[float] | None) -> Rope | None:
    if rope is None or isinstance(rope, Rope):
        return rope
    try:
        low, high = rope
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{rope!r} is no region of practical equivalence.",
            "Give two numbers, or Rope(low, high, effect).",
        ) from error
    return Rope(low, high)


def write_content(content: Content, paths: Iterable[str | os.PathLike[str]]) -> None:
    """Write content that has been composed, each file whole or not at all.

    Raises
    ------
    StorageError
        If a suffix is not ``.html`` or ``.md``, and then nothing is written; or if a place cannot
        be written, and then files before it are.
    """
    targets = [Path(path) for path in paths]
    writers = [_writer(target) for target in targets]
    for target, writer in zip(targets, writers, strict=True):
        _replace(target, writer(content))


def _writer(path: Path) -> Callable[[Content], str]:
    if path.suffix not in FORMATS:
        raise StorageError(
            f"A report cannot be written as {path.name!r}: its ending is {path.suffix!r}.",
            "End the name in .html or .md.",
        )
    return FORMATS[path.suffix]


def _replace(target: Path, text: str) -> None:
    try:
        replace_file(target, lambda part: _write(part, text))
    except OSError as error:
        raise StorageError(
            f"The report could not be written to {target}: {error.strerror or error}.",
            "Choose a folder that exists and can be written.",
        ) from error


def _write(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")
