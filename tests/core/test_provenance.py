"""Versions and time that travel with a result."""

import platform
from datetime import UTC, datetime, timedelta
from importlib import metadata

from bayesmed.core import provenance


def test_versions_are_those_installed():
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == metadata.version("numpy")
    assert set(found) == {"python", *provenance.PACKAGES}


def test_a_package_that_is_not_installed_is_unknown(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package-here"))
    found = provenance.versions()
    assert found["no-such-package-here"] == "unknown"
    assert found["numpy"] != "unknown"


def test_time_is_utc_and_now():
    stamp = datetime.fromisoformat(provenance.now())
    assert stamp.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - stamp) < timedelta(minutes=1)
