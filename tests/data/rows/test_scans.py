"""Scans tell how far they are, and leave nothing behind when they fail."""

from __future__ import annotations

import _thread
import threading
import time
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from bayesmed.core.progress import Silent
from bayesmed.data import DataError, PersonRows, reduce_rows
from bayesmed.data.rows import engine
from bayesmed.data.rows.engine import EngineError, duckdb_backend, fetch
from tests.data.rows.people import people, roles


class Recorder:
    def __init__(self) -> None:
        self.phases: list[str] = []
        self.shares: list[float] = []

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def advance(self, done: float, detail: str = "") -> None:
        self.shares.append(done)


class Backend:
    """A DuckDB in name, whose queries do what a test asks for."""

    class con:  # noqa: N801
        @staticmethod
        def query_progress() -> float:
            return 50.0

    def __init__(self, act: Any) -> None:
        self.act = act

    def to_pyarrow(self, query: object) -> Any:
        return self.act()


def fails(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("changed", "phases"),
    [
        ({}, ["Scanning the rows"]),
        ({"covariates": "x1"}, ["Scanning the rows", "Scanning the rows again, for the covari"]),
        (
            {"weights": "w"},
            [
                "Scanning the rows",
                "Scanning the rows again, for the weights",
                "Scanning the rows again, for the covari",
            ],
        ),
    ],
)
def test_every_scan_is_a_phase(changed: dict[str, Any], phases: list[str]) -> None:
    seen = Recorder()
    reduce_rows(PersonRows.from_frame(people(), roles(**changed)), progress=seen)
    assert len(seen.phases) == len(phases)
    assert all(got.startswith(wanted) for got, wanted in zip(seen.phases, phases, strict=True))
    assert all(0 < share <= 1 for share in seen.shares)


def test_progress_is_looked_at_while_a_scan_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_POLL", 0.001)
    seen = Recorder()

    def act() -> Any:
        import pyarrow as pa

        while not seen.shares:
            time.sleep(0.001)
        return pa.table({"x": [1]})

    assert fetch(Backend(act), None, seen, "rows")["x"].tolist() == [1]  # type: ignore[arg-type]
    assert set(seen.shares) == {0.5}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()])
def test_interruptions_pass_through(error: BaseException) -> None:
    before = threading.active_count()
    with pytest.raises(type(error)):
        fetch(Backend(fails(error)), None, Silent(), "rows")  # type: ignore[arg-type]
    assert threading.active_count() == before


def test_failures_leave_no_thread_behind() -> None:
    before = threading.active_count()
    with pytest.raises(EngineError, match="people: the engine stopped with ValueError"):
        fetch(Backend(fails(ValueError("no luck"))), None, Silent(), "people")  # type: ignore[arg-type]
    frame = people().astype({"m1": str}).replace({"m1": {str(people().m1[0]): "x"}})
    with pytest.raises(DataError):
        reduce_rows(PersonRows.from_frame(frame, roles()), progress=Recorder())
    assert threading.active_count() == before


LONG = "SELECT a.range + b.range AS x FROM range(500000) a, range(500000) b"


class Halfway:
    """A connection of DuckDB that is always halfway through its query."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def query_progress(self) -> float:
        return 50.0


class Failing(Recorder):
    def advance(self, done: float, detail: str = "") -> None:
        raise BrokenPipeError


def query_of(backend: Any, sql: str) -> Any:
    backend.con.execute(f"CREATE VIEW numbers AS {sql}")
    return backend.table("numbers")


def test_a_long_scan_can_be_interrupted(interrupts: None) -> None:
    """As by the keys Ctrl and C: the query stops, and the engine stays usable."""
    backend = duckdb_backend()
    table = query_of(backend, LONG)
    before = threading.active_count()
    timer = threading.Timer(0.3, _thread.interrupt_main)
    began = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        fetch(backend, table.agg(most=table.x.max()), Silent(), "rows")
    assert time.monotonic() - began < 60
    timer.join()
    assert threading.active_count() == before
    assert fetch(backend, table.limit(1), Silent(), "rows")["x"].tolist() == [0]


def test_a_progress_that_fails_ends_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_POLL", 0.001)
    before = threading.active_count()
    backend = duckdb_backend()
    table = query_of(backend, LONG)
    monkeypatch.setattr(backend, "con", Halfway(backend.con))
    with pytest.raises(EngineError, match="BrokenPipeError"):
        fetch(backend, table.agg(most=table.x.max()), Failing(), "rows")
    assert threading.active_count() == before


def test_too_little_memory_is_said() -> None:
    backend = duckdb_backend()
    backend.con.execute("SET memory_limit = '10MB'; SET temp_directory = ''; SET threads = 1")
    table = query_of(backend, "SELECT range AS x FROM range(20000000)")
    with pytest.raises(EngineError, match="rows: the engine has not enough memory"):
        fetch(backend, table.group_by("x").agg(n=table.count()).limit(3), Silent(), "rows")


def test_whole_numbers_beside_missing_ones_stay_whole() -> None:
    backend = duckdb_backend()
    number = 2**53 + 1
    sql = f"SELECT CASE WHEN range > 0 THEN {number} END AS x FROM range(2)"
    found = fetch(backend, query_of(backend, sql), Silent(), "rows")
    assert found["x"].tolist() == [None, number]


def test_a_notebook_without_widgets_scans_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook DuckDB refuses to count progress where ipywidgets is missing."""
    connection = duckdb_backend().con

    class Refusing:
        def execute(self, sql: str) -> Any:
            raise duckdb.InvalidInputException("required package 'ipywidgets' is missing")

    backend = SimpleNamespace(con=Refusing())
    monkeypatch.setattr("ibis.duckdb.connect", lambda **_: backend)
    with pytest.raises(duckdb.InvalidInputException):
        backend.con.execute("SET enable_progress_bar = true")
    assert duckdb_backend() is backend
    assert connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,)
