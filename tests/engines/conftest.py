"""A real Spark in local mode, for all tests of this folder."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """An Ibis backend on Spark with two threads."""
    if shutil.which("java") is None:
        pytest.fail(
            "Spark needs Java 17 or 21, and there is no `java` on the path. "
            "Install one, for example Debian's openjdk-17-jre-headless.",
            pytrace=False,
        )
    pytest.importorskip("pyspark", reason="install the extra: pip install 'bayesmed[spark]'")
    import ibis
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.pyspark.python": sys.executable,
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("bayesmed")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():
        # Sockets to the Java process stay open until it ends.
        warnings.simplefilter("ignore", ResourceWarning)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield ibis.pyspark.connect(session)
        session.stop()
