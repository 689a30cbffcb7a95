"""A folder that is written all or nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from bayesmed.core.errors import StorageError

# Files that desktop programs leave in every folder they show.
_NOBODYS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def checked_folder(directory: str | os.PathLike[str], *, marker: str, own: Collection[str]) -> Path:
    """Return the folder to write, absolute, if writing it can lose nothing.

    Parameters
    ----------
    directory
        The folder; it may be absent, empty, or one written before.
    marker
        The file by which a folder written before is known.
    own
        Every name such a folder may hold; what is in a folder of it as ``"folder/name"``, with
        ``*`` for any part of a name.

    Raises
    ------
    StorageError
        If it is a file, holds anything else, is the current folder or above it, or cannot be
        made.
    """
    shown = Path(directory)
    try:
        target = shown.resolve()
        if target.exists() and not target.is_dir():
            raise StorageError(f"{shown} is a file, not a folder.", "Name another folder.")
        if target == Path.cwd() or target in Path.cwd().parents:
            raise StorageError(
                f"{shown} is the folder you are in, or holds it.", "Name a folder below it."
            )
        names = _names(target, own) if target.exists() else set()
        parent = next(p for p in target.parents if p.exists())
    except (OSError, ValueError) as error:
        raise StorageError(f"{shown} cannot be used: {error}.", "Name another folder.") from error
    any_of = [name for name in own if "*" in name]
    strange = sorted(
        n
        for n in names - set(own)
        if n.rpartition("/")[2] not in _NOBODYS and not any(fnmatchcase(n, one) for one in any_of)
    )
    if names and (strange or marker not in names):
        what = f"holds {strange[0]!r}, which is" if strange else "holds files that are"
        raise StorageError(
            f"{shown} {what} not an earlier result of bayesmed, and nothing is overwritten.",
            "Name another folder, or move its files away.",
        )
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise StorageError(f"Nothing can be written in {parent}.", "Name another folder.")
    return target


def _names(target: Path, own: Collection[str]) -> set[str]:
    """Return what a folder holds, and what its own folders hold."""
    found = {entry.name for entry in target.iterdir()}
    folders = [name for name in found & set(own) if (target / name).is_dir()]
    return found | {f"{name}/{e.name}" for name in folders for e in (target / name).iterdir()}


def write_folder(target: Path, write: Callable[[Path], None]) -> None:
    """Fill a new folder beside ``target`` and put it in its place when it is complete.

    A folder that is there already is kept until then, and stays if anything fails or is
    interrupted; so does the absence of one.

    Parameters
    ----------
    target
        What `checked_folder` returned.
    write
        Writes every file into the folder it is given.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    made = [p for p in (target.parent, *target.parent.parents) if not p.exists()]
    token = secrets.token_hex(4)
    part = target.parent / f".{target.name}.{token}.part"
    old = target.parent / f".{target.name}.{token}.old"
    try:
        part.mkdir(parents=True)
        write(part)
        _exchange(part, target, old)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        _remove_empty(made)
        if isinstance(error, OSError):
            raise StorageError(
                f"{target} could not be written: {error.strerror or error}.",
                "Make room on the disk or name another folder; what was there before still is.",
            ) from error
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchange(part: Path, target: Path, old: Path) -> None:
    """Rename twice; whatever happens between, the earlier folder ends up in its place."""
    try:
        if target.exists():
            target.rename(old)
        part.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise


def _remove_empty(made: Iterable[Path]) -> None:
    for folder in made:
        try:
            folder.rmdir()
        except OSError:
            return


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under another name and put it in its place when it is complete."""
    part = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
