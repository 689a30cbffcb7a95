"""Files that are written together: all of them, or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bayesmed.core.errors import StorageError


def checked_target(
    option: str, path: Path, suffixes: Iterable[str], inputs: Sequence[Path]
) -> Path:
    """Return the path of a file to write, or say why it cannot be one.

    Parameters
    ----------
    option
        The option that names it.
    path
        The file; one that is there will be replaced.
    suffixes
        Its possible endings.
    inputs
        Files and folders that are read: the file must be none of them, nor lie in one.

    Raises
    ------
    StorageError
        If the ending is another one, the folder cannot be written, or an input would be lost.
    """
    known = tuple(suffixes)
    if path.suffix.lower() not in known:
        raise StorageError(
            f"{option} {path.name!r} ends in {path.suffix!r}.", f"End it in {' or '.join(known)}."
        )
    try:
        if path.is_dir() or not path.parent.is_dir():
            raise StorageError(f"{path} cannot be written.", "Name a file in a folder that exists.")
        place = path.resolve()
        read = [file.resolve() for file in inputs]
    except (OSError, ValueError, RuntimeError) as error:
        raise StorageError(f"{option}: {error}.", "Name another file.") from error
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StorageError(f"Nothing can be written in {path.parent}.", "Name another folder.")
    if any(place == file or (file.is_dir() and place.parent == file) for file in read):
        raise StorageError(
            f"{option} {path} is one of the files that are read, or lies in their folder.",
            "Name another file.",
        )
    return path


@contextmanager
def written_together(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield a place for each file; when all are written there, they are put where they belong.

    Files that are there already stay until then, and stay if anything fails or is interrupted.

    Raises
    ------
    StorageError
        If the disk is full or a folder cannot be written.
    """
    try:
        with ExitStack() as stack:
            folders = [
                stack.enter_context(tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent))
                for path in targets
            ]
            parts = [
                Path(folder) / path.name for folder, path in zip(folders, targets, strict=True)
            ]
            yield parts
            for part, path in zip(parts, targets, strict=True):
                part.replace(path)
    except OSError as error:
        raise StorageError(
            f"{' and '.join(map(str, targets))} could not be written: {error.strerror or error}.",
            "Make room on the disk or name another folder; what was there before still is.",
        ) from error
