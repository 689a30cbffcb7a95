"""The verb writes a whole file or none."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from bayesmed.core.errors import ModelError, StorageError
from bayesmed.inference import Fit
from bayesmed.report import report
from bayesmed.report.compose import compose
from bayesmed.report.findings import findings
from bayesmed.report.report import write_content


def test_the_suffix_chooses_the_form(plain_fit: Fit, tmp_path: Path) -> None:
    report(plain_fit, tmp_path / "r.html")
    report(plain_fit, str(tmp_path / "r.md"))
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# Effects on score")
    assert {p.name for p in tmp_path.iterdir()} == {"r.html", "r.md"}


@pytest.mark.parametrize("name", ["report.pdf", "report", "report.HTM"])
def test_another_suffix_is_refused_with_a_remedy(plain_fit: Fit, tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError) as caught:
        report(plain_fit, tmp_path / name)
    assert name in caught.value.problem
    assert ".html or .md" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(plain_fit: Fit, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be written"):
        report(plain_fit, tmp_path / "absent" / "r.md")


def test_an_interrupted_report_leaves_the_earlier_one(
    plain_fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.md"
    path.write_text("earlier")

    def interrupted(part: Path, text: str) -> None:
        part.write_text(text[:10])
        raise KeyboardInterrupt

    # The room's name is also the verb's: the module is reached by its path.
    module = importlib.import_module("bayesmed.report.report")
    monkeypatch.setattr(module, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        report(plain_fit, path)
    assert path.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["r.md"]


def test_reports_of_the_same_content_are_written_all_or_none(
    plain_fit: Fit, tmp_path: Path
) -> None:
    content = compose(findings(plain_fit))
    write_content(content, [tmp_path / "r.html", tmp_path / "r.md"])
    report(plain_fit, tmp_path / "again.md")
    assert (tmp_path / "r.md").read_bytes() == (tmp_path / "again.md").read_bytes()
    with pytest.raises(StorageError):
        write_content(content, [tmp_path / "other.md", tmp_path / "other.pdf"])
    assert not (tmp_path / "other.md").exists()


def test_what_cannot_be_reported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing to show of a float"):
        report(1.0, tmp_path / "r.html")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
