"""Benchmarks are run by hand (``make bench``), never by the test suite."""

collect_ignore_glob = ["*.py"]
