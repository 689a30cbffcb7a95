"""How strong sites are as instruments, and whether they agree, as a table."""

from __future__ import annotations

from bayesmed.core.numbers import number
from bayesmed.core.words import joined, p_value
from bayesmed.effects import Comparison
from bayesmed.report.content import Table
from bayesmed.report.tables import shown

CAPTION = "Strength of the sites as instruments"


def instruments(found: Comparison) -> Table:
    """F, implied bias and reliability of each mediator; rank and Cochran's Q below.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.effects.compare import compare
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 4], total_effect=[2.0, 4.5, 6.0, 9.0],
    ...     cov=[0.25 * np.eye(2)] * 4)
    >>> instruments(compare(data, intercept=False)).rows
    (('mediator', '30', '0.0333', '0.967'),)
    """
    strength, several = found.strength, len(found.mediators) > 1
    columns = ["Mediator", "First-stage F"]
    values = [strength.first_stage_f]
    if several:
        columns.append("Conditional F")
        values.append(strength.conditional_f)
    columns += ["Bias kept", "Reliability"]
    values += [strength.relative_bias, strength.reliability]
    rows = tuple(
        (mediator, *(shown(float(v[p])) for v in values))
        for p, mediator in enumerate(found.mediators)
    )
    note = " ".join(text for text in (_strength(found), _overidentification(found)) if text)
    return Table(CAPTION, tuple(columns), rows, note=note)


def _strength(found: Comparison) -> str:
    strength = found.strength
    if not strength.defined:
        return f"Strength is not defined: {strength.reason}."
    spread = "about their mean" if strength.intercept else "about 0"
    text = (
        f"Strength is that of the spread of mediator effects {spread}; bias kept is the share of "
        "the bias of a regression on persons that two-stage least squares would keep. F and bias "
        "count sites by their precision, reliability counts them alike."
    )
    if len(found.mediators) == 1:
        return text
    listed = joined([number(float(v)) for v in strength.singular_values])
    return (
        f"{text} {strength.rank} of {len(found.mediators)} directions stand out: singular values "
        f"{listed}, sampling error alone about {number(strength.noise_level)} "
        f"({p_value(strength.rank_p_value)})."
    )


def _overidentification(found: Comparison) -> str:
    q = found.overidentification
    if q.reason:
        return f"Cochran's Q of {q.estimator} has no test: {q.reason}."
    return (
        f"Cochran's test of the line of {q.estimator}: {q.words}. Slopes or direct effects that "
        "differ between sites inflate it, so it is not invalidity by itself."
    )
