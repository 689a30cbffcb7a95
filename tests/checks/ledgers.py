"""What every ledger must satisfy."""

from __future__ import annotations

from typing import Any

from bayesmed.checks import CROSSWALK, LedgerLine, check, ledger
from bayesmed.checks.ledger import STATUSES, Ledger
from bayesmed.inference import Fit


def by_code(fit: Fit[Any, Any]) -> dict[str, LedgerLine]:
    return {line.assumption.code: line for line in ledger(fit).lines}


def statuses(fit: Fit[Any, Any]) -> dict[str, str]:
    return {code: line.status for code, line in by_code(fit).items()}


def moved(one: dict[str, str], other: dict[str, str]) -> dict[str, tuple[str, str]]:
    """What two ledgers do not have alike; "" where a line is missing."""
    codes = [code for code in CROSSWALK if code in {*one, *other}]
    pairs = {code: (one.get(code, ""), other.get(code, "")) for code in codes}
    return {code: pair for code, pair in pairs.items() if pair[0] != pair[1]}


def assert_sound(fit: Fit[Any, Any]) -> Ledger:
    """Check codes, statuses, sentences, and that statuses are those of the checks."""
    results = {r.code: r for r in check(fit)}
    found = ledger(fit, checks=list(results.values()))
    codes = [line.assumption.code for line in found.lines]
    assert len(set(codes)) == len(codes)
    order = list(CROSSWALK)
    assert codes == sorted(codes, key=order.index)
    for line in found.lines:
        assert line.assumption is CROSSWALK[line.assumption.code]
        assert line.status in STATUSES
        for text in (line.reason, line.consequence):
            assert text == text.strip()
            assert text.endswith(".")
            assert not text[0].islower() or text.startswith(("t of", "κ"))
            assert "  " not in text
            assert "nan" not in text.split()
        assert (line.number is None) or line.number == line.number  # no NaN
        assert line.number is not None or not line.quantity
        own = [results[code] for code in line.checks]
        assert all(r.code.split("[")[0] in line.assumption.checks for r in own)
        bad = [r for r in own if r.status in ("doubtful", "failed")]
        if own:
            assert line.status == ("doubtful" if bad else "checked")
        if line.status == "checked":
            assert own
            assert line.reason.startswith("No sign against it in these data.")
    table = found.table()
    assert table["code"].tolist() == codes
    assert table["status"].isin(STATUSES).all()
    ranked = [STATUSES.index(line.status) for line in found.by_importance()]
    assert ranked == sorted(ranked)
    return found
