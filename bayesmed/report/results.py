"""A fit as a folder of files: posterior, tables, checks, provenance, report."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmed.cards import Framing
from bayesmed.core import provenance
from bayesmed.core.errors import StorageError
from bayesmed.data import SiteEstimates
from bayesmed.effects import Rope
from bayesmed.generative import model_to_mapping
from bayesmed.inference import Fit, TrialFit, load_fit, save_fit
from bayesmed.report.answer import Answer
from bayesmed.report.compose import compose
from bayesmed.report.findings import Findings, findings
from bayesmed.report.folder import checked_folder, replace_file, write_folder
from bayesmed.report.shown import shown_names, write_shown

POSTERIOR, RUN = "posterior.nc", "run.json"
PARAMETERS, EFFECTS, CHECKS = "parameters.csv", "effects.csv", "checks.csv"
ASSUMPTIONS = "assumptions.csv"
FIGURES = (
    *("scatter", "fan", "forest", "effects", "region", "priors", "estimators"),
    *("predicted", "refitted", "checks", "ranks"),
)
TABLES = ("effects", "sites", "parameters", "priors", "estimators", "assumptions", "scaling")
FILES = (
    *(POSTERIOR, PARAMETERS, EFFECTS, CHECKS, ASSUMPTIONS, RUN),
    *shown_names(FIGURES, TABLES),
)
FORMAT = {"format": "bayesmed results", "format_version": 1}

CHECK_COLUMNS = ("code", "title", "status", "value", "reason", "convergence")


@dataclass(frozen=True)
class Results:
    """What was written: the folder, the answer in it, and whether the posterior can be trusted.

    Parameters
    ----------
    directory
        The folder, with the files of ``FILES``.
    answer
        What the report says first.
    converged
        Whether every convergence check passed.
    """

    directory: Path
    answer: Answer
    converged: bool


def checked_results_folder(directory: str | os.PathLike[str]) -> Path:
    """Return the folder `write_results` would write, or say why it will not.

    It may be absent, empty, or hold an earlier result of bayesmed and nothing else.

    Raises
    ------
    StorageError
        If writing it could lose something, or is not possible.
    """
    return checked_folder(directory, marker=RUN, own=FILES)


def write_results(
    fit: Fit | TrialFit, directory: str | os.PathLike[str], *, framing: Framing | None = None
) -> Results:
    """Write a fit as a folder of files, all or nothing.

    ``posterior.nc`` (the whole fit; `load_fit` reads it), ``parameters.csv``, ``effects.csv``,
    ``checks.csv``, ``assumptions.csv``, ``run.json`` (how it was made), ``report.html``,
    ``report.md``, and what is in them as ``figures/*.png`` and ``tables/*.tex``. An earlier result
    in the folder is replaced when the new one is complete; if anything fails or is interrupted it
    stays as it was.

    Parameters
    ----------
    fit
        What to write.
    directory
        The folder.
    framing
        Title, question and assumptions for the report.

    Returns
    -------
    Results
        The folder and the answer.

    Raises
    ------
    StorageError
        If the folder holds anything that is not an earlier result, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from bayesmed.cards import find_card, load_card
    >>> from bayesmed.inference import Sampler, fit
    >>> card = load_card(find_card("berkey1998"))
    >>> fitted = fit(card.model, card.load_data(), sampler=Sampler(engine="exact"), seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_results(fitted, folder + "/berkey", framing=card.framing)
    ...     sorted(path.name for path in written.directory.iterdir())
    ['assumptions.csv', 'checks.csv', 'effects.csv', 'figures', 'parameters.csv', 'posterior.nc',
     'report.html', 'report.md', 'run.json', 'tables']
    """
    target = checked_results_folder(directory)
    found = findings(fit, framing)
    content = compose(found)
    tables = {
        PARAMETERS: found.parameters,
        EFFECTS: found.effects,
        CHECKS: _check_table(found),
        ASSUMPTIONS: found.ledger.table(),
    }

    def write(folder: Path) -> None:
        save_fit(fit, folder / POSTERIOR)
        for name, table in tables.items():
            table.to_csv(folder / name, index=False, lineterminator="\n")
        _write_run(_run(found, content.answer), folder / RUN)
        write_shown(content, folder)

    write_folder(target, write)
    return Results(target, content.answer, found.converged)


def rewrite_reports(directory: str | os.PathLike[str], *, rope: Rope | None = None) -> Results:
    """Write the reports of a results folder once more, from the posterior kept in it.

    Parameters
    ----------
    directory
        The folder.
    rope
        A region of practical equivalence in place of the one kept with the results, to be kept
        with them from now on.

    Raises
    ------
    StorageError
        If the folder holds no results, or they cannot be read or written.
    ModelError
        If the region is about an effect the fit does not have.
    """
    folder = Path(directory)
    run = _read_run(folder)
    framing = _framing(run)
    framing = framing if rope is None else replace(framing, rope=rope)
    fit = load_fit(folder / POSTERIOR)
    found = findings(fit, framing)
    content = compose(found)
    run |= {"framing": asdict(framing), "region": content.answer.region}
    try:
        write_shown(content, folder)
        replace_file(folder / RUN, partial(_write_run, run))
    except OSError as error:
        raise StorageError(
            f"{folder} could not be written: {error.strerror or error}.",
            "Make room on the disk, or see that the folder can be written.",
        ) from error
    return Results(folder, content.answer, found.converged)


def _check_table(found: Findings) -> pd.DataFrame:
    rows = [[getattr(result, column) for column in CHECK_COLUMNS] for result in found.checks]
    return pd.DataFrame(rows, columns=list(CHECK_COLUMNS))


def _run(found: Findings, said: Answer) -> dict[str, Any]:
    """Say how the result was made, in plain values."""
    fit: Fit[Any, Any] = found.fit
    priors = fit.model.priors_for(fit.data)
    return {
        **FORMAT,
        "created_at": fit.tree.attrs["created_at"],
        "versions": provenance.versions(),
        "seconds": fit.tree.attrs["seconds_total"],
        "seed": fit.seed,
        "sampler": asdict(fit.sampler),
        "model": model_to_mapping(fit.model),
        "priors_in_data_units": {name: str(prior) for name, prior in priors.items()},
        "data": _data(fit),
        "framing": asdict(found.framing),
        "converged": found.converged,
        "first": list(said.first),
        "answer": said.sentence,
        "region": said.region,
    }


def _data(fit: Fit[Any, Any]) -> dict[str, Any]:
    """Say what was fitted."""
    data = fit.data
    found = {"source": data.source, "sha256": data.fingerprint, "notes": list(data.notes)}
    if not isinstance(data, SiteEstimates):
        names = {key: value for key, value in asdict(data.names).items() if value}
        derivation = getattr(data, "derivation", "")
        return found | {"persons": data.n_persons, "derivation": derivation} | names
    return found | {
        "rows": data.n_rows,
        "mediators": list(data.mediators),
        "outcome": data.outcome,
        "outcome_scale": data.outcome_scale,
        "derivation": data.derivation,
    }


def _write_run(run: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _read_run(folder: Path) -> dict[str, Any]:
    path = folder / RUN
    remedy = "Name a folder that `bayesmed fit` wrote."
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"{folder} holds no results of bayesmed (no {RUN}).", remedy) from error
    except ValueError as error:
        raise StorageError(f"{path} cannot be read as JSON.", remedy) from error
    if not isinstance(run, dict) or run.get("format") != FORMAT["format"]:
        raise StorageError(f"{path} was not written by bayesmed.", remedy)
    if run.get("format_version") != FORMAT["format_version"]:
        raise StorageError(
            f"{path} has format version {run.get('format_version')!r}; this bayesmed reads "
            f"version {FORMAT['format_version']}.",
            "Use the version of bayesmed that wrote it.",
        )
    return run


def _framing(run: dict[str, Any]) -> Framing:
    words = run.get("framing") or {}
    return Framing(
        title=str(words.get("title", "")),
        question=str(words.get("question", "")),
        published=str(words.get("published", "")),
        assumptions=tuple(str(a) for a in words.get("assumptions", ())),
        rope=_rope(words.get("rope")),
    )


def _rope(kept: dict[str, Any] | None) -> Rope | None:
    return Rope(kept["low"], kept["high"], str(kept.get("effect", ""))) if kept else None
