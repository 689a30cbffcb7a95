"""A result folder is written all or nothing, and never at the cost of anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bayesmed.core.errors import StorageError
from bayesmed.report.folder import checked_folder, replace_file, write_folder

OWN = ("run.json", "table.csv")


def checked(path: Path) -> Path:
    return checked_folder(path, marker="run.json", own=OWN)


def write_new(folder: Path) -> None:
    (folder / "run.json").write_text("new")


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()
    }


def earlier(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("old")
    (folder / "table.csv").write_text("old table")
    return folder


def test_a_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    write_folder(checked(tmp_path / "a" / "b"), write_new)
    assert contents(tmp_path) == {"a/b/run.json": "new"}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write_folder(checked(tmp_path / "a"), write_new)
    assert contents(tmp_path) == {"a/run.json": "new"}


def test_an_earlier_result_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = earlier(tmp_path / "a")
    (folder / ".DS_Store").write_text("a desktop's")
    write_folder(checked(folder), write_new)
    assert contents(tmp_path) == {"a/run.json": "new"}


def test_a_link_to_an_earlier_result_stays_a_link(tmp_path: Path) -> None:
    folder = earlier(tmp_path / "a")
    (tmp_path / "link").symlink_to(folder)
    write_folder(checked(tmp_path / "link"), write_new)
    assert (tmp_path / "link").is_symlink()
    assert contents(folder) == {"run.json": "new"}


def test_names_with_a_star_are_any_of_that_kind_and_no_others(tmp_path: Path) -> None:
    own = (*OWN, "figures", "figures/*.png")
    folder = earlier(tmp_path / "a")
    (folder / "figures").mkdir()
    (folder / "figures" / "slope.png").touch()
    assert checked_folder(folder, marker="run.json", own=own) == folder
    for name in ("figures/my.svg", "figure.png"):
        (folder / name).touch()
        with pytest.raises(StorageError, match=name):
            checked_folder(folder, marker="run.json", own=own)
        (folder / name).unlink()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_changes_when_writing_fails(
    tmp_path: Path, error: BaseException, there: bool
) -> None:
    target = tmp_path / "some" / "where"
    if there:
        earlier(target)
    before = contents(tmp_path)

    def fail(folder: Path) -> None:
        write_new(folder)
        raise error

    expected = StorageError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_folder(checked(target), fail)
    assert contents(tmp_path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == (["some"] if there else [])


def test_an_interrupt_between_the_two_renames_brings_the_earlier_result_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = earlier(tmp_path / "a")
    rename = Path.rename

    def interrupted(self: Path, to: Path) -> Path:
        if self.suffix == ".part":
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(checked(target), write_new)
    assert contents(tmp_path) == {"a/run.json": "old", "a/table.csv": "old table"}
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_files_that_are_no_result_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("two years of work")
    with pytest.raises(StorageError, match=r"'thesis\.tex'.*not an earlier result.*another folder"):
        checked(tmp_path)
    folder = earlier(tmp_path / "a")
    (folder / "notes.md").write_text("mine")
    with pytest.raises(StorageError, match=r"'notes\.md'"):
        checked(folder)


def test_files_in_a_folder_of_results_are_looked_at_too(tmp_path: Path) -> None:
    folder = earlier(tmp_path / "a")
    (folder / "figures").mkdir()
    own = (*OWN, "figures", "figures/one.png")
    for name in ("one.png", ".DS_Store"):
        (folder / "figures" / name).write_text("x")
        assert checked_folder(folder, marker="run.json", own=own) == folder
    (folder / "figures" / "mine.png").write_text("x")
    with pytest.raises(StorageError, match=r"'figures/mine\.png'"):
        checked_folder(folder, marker="run.json", own=own)


def test_a_folder_without_the_marker_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("somebody's")
    with pytest.raises(StorageError, match="not an earlier result"):
        checked(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(StorageError, match="is a file"):
        checked(tmp_path / "a")
    with pytest.raises(StorageError):
        checked(tmp_path / "a" / "b")


def test_the_current_folder_and_those_above_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for path in (Path(), Path(".."), tmp_path):
        with pytest.raises(StorageError, match="folder you are in"):
            checked(path)


def test_a_name_no_system_takes_is_refused() -> None:
    with pytest.raises(StorageError, match="cannot be used"):
        checked(Path("a\0b"))


def test_a_folder_that_may_not_be_written_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everywhere, so permissions themselves would not do as a test.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StorageError, match="Nothing can be written"):
        checked(tmp_path / "a")


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        replace_file(path, fail)
    assert contents(tmp_path) == {"report.md": "old"}
    replace_file(path, lambda part: part.write_text("new") and None)
    assert contents(tmp_path) == {"report.md": "new"}
