"""Sites as leaves of a causal tree: grown on one part of the persons, estimated on the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.core.notes import FOUND_APART, FOUND_TWICE
from bayesmed.core.progress import Progress
from bayesmed.core.seeds import child_seed
from bayesmed.core.words import joined
from bayesmed.data import PersonRows
from bayesmed.data.rows.assigning import Region, with_regions
from bayesmed.data.rows.baseline import Baseline, PartOfPersons, baseline
from bayesmed.subgroups.choices import CausalTree
from bayesmed.subgroups.found_sites import ToldApart
from bayesmed.subgroups.growing import adjusted, grown, require_econml, summarised, summary_of
from bayesmed.subgroups.splits import (
    Bounds,
    Leaf,
    Node,
    Split,
    Summary,
    bounds_of,
    leaves_of,
    merged,
    splits_of,
    with_most_leaves,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sites_by_tree"]

_GROWING, _ESTIMATING = 0, 1


def sites_by_tree(rows: PersonRows, how: CausalTree, seed: int, progress: Progress) -> ToldApart:
    """Grow a tree and return the persons of the other part, each in a leaf.

    Raises
    ------
    DataError
        If the rows cannot be used, or no split is left.
    """
    require_econml()
    base = baseline(rows, how.categorical, (how.share,), how.person, seed, progress)
    progress.phase("Reading the persons on whom the tree is grown")
    persons = base.persons(_GROWING if how.honest else None, progress)
    base = _told_binary(base, persons)
    persons = adjusted(persons)
    least, (n, fewest) = how.least_in_leaf, _sizes(persons)
    if fewest < 2 * least:
        raise DataError(
            f"{rows.source}: {n} complete persons are too few to split (in the smallest arm, or "
            f"half of all where treatment is an amount: {fewest}).",
            f"Two leaves of {least} need {2 * least}; lower `least_in_leaf`, or raise `share`.",
        )
    progress.phase("Growing the tree")
    root = grown(persons, how.depth, least, child_seed(seed, "tree"))
    root = merged(root, lambda leaf: leaf.summary.fewest < least)
    part = _ESTIMATING if how.honest else None
    progress.phase("Counting persons in the leaves")
    root = _large_enough(base, summarised(root, persons), least, part)
    root = with_most_leaves(summarised(root, persons), how.leaves)
    if isinstance(root, Leaf):
        raise DataError(
            f"{rows.source}: no split tells persons apart and leaves {how.least_in_leaf} in every "
            "arm on both sides, so that all are in one leaf.",
            "Name other columns as site, lower `least_in_leaf`, or take another seed.",
        )
    told = with_regions(base, regions_of(base, root), part)
    return ToldApart(told, _table(base, root), _origin(base, how, seed, root), _caution(how))


def _told_binary(base: Baseline, persons: PartOfPersons) -> Baseline:
    """Mark the columns of numbers that are 0 or 1: they are named by what they are."""
    binary = np.isin(persons.features, (0.0, 1.0)).all(axis=0)
    features = tuple(
        replace(feature, binary=bool(own) and feature.level is None)
        for feature, own in zip(base.features, binary, strict=True)
    )
    return replace(base, features=features)


def _sizes(persons: PartOfPersons) -> tuple[int, int]:
    if not len(persons.features):
        return 0, 0
    summary = summary_of(persons)
    return summary.n, summary.fewest


def regions_of(base: Baseline, root: Node) -> list[Region]:
    """Return the leaves as regions of features, each with a name of its own."""
    bounds = [bounds_of(root)[leaf] for leaf in leaves_of(root)]
    called = [_called(base, own) for own in bounds]
    if len(set(called)) < len(called):
        called = [_called(base, own, exact=True) for own in bounds]
    names = [feature.name for feature in base.features]
    return [
        Region(name, {names[f]: ends for f, ends in own.items()})
        for name, own in zip(called, bounds, strict=True)
    ]


def _large_enough(base: Baseline, root: Node, least: int, part: int | None) -> Node:
    """Undo splits of which a leaf has too few persons of an arm among those to be estimated."""
    if isinstance(root, Leaf):
        return root
    regions = regions_of(base, root)
    moments = with_regions(base, regions, part).moments()
    arms = [arm for arm, _ in base.arms]
    counted: dict[Summary, NDArray[np.float64]] = {}
    for leaf, region in zip(leaves_of(root), regions, strict=True):
        inside = np.array([site == region.name for site in moments.site])
        if moments.arm is None:
            counted[leaf.summary] = np.array([moments.n[inside].sum() / 2])
        else:
            in_arm = np.array([[a == arm for a in moments.arm] for arm in arms])
            counted[leaf.summary] = (in_arm & inside) @ moments.n
    for split in reversed(splits_of(root)):
        counted[split.summary] = counted[split.below.summary] + counted[split.above.summary]
    return merged(root, lambda leaf: bool(counted[leaf.summary].min() < least))


def _called(base: Baseline, bounds: Bounds, *, exact: bool = False) -> str:
    """Name the persons within bounds; of a column's names only the one that they have, if any."""
    features = base.features
    known = {features[f].column for f, (low, _) in bounds.items() if features[f].level and low > 0}
    parts = [
        features[f].within(low, high, exact=exact)
        for f, (low, high) in sorted(bounds.items())
        if low > 0 or features[f].level is None or features[f].column not in known
    ]
    return ", ".join(parts) or "everybody"


def _table(base: Baseline, root: Node) -> pd.DataFrame:
    """Return one row per split: whom it splits, where, and what the growing part shows."""
    import pandas as pd

    bounds = bounds_of(root)
    number = {split: k for k, split in enumerate(splits_of(root), 1)}
    site = dict(zip(leaves_of(root), (r.name for r in regions_of(base, root)), strict=True))
    mediators = [base.columns.label(c) for c in base.columns.estimated[:-1]]
    arms = [a for a, _ in base.arms[1:]] or list(base.columns.randomised)
    found = []
    for split in splits_of(root):
        feature = base.features[split.feature]
        row: dict[str, object] = {
            "split": number[split],
            "among": _called(base, bounds[split]),
            "column": feature.column,
            "below": feature.within(-np.inf, split.edge),
            "above": feature.within(split.edge, np.inf),
            "n_below": split.below.summary.n,
            "n_above": split.above.summary.n,
        }
        for side, node in (("below", split.below), ("above", split.above)):
            row[f"{side}_split"] = number.get(node, 0) if isinstance(node, Split) else 0
            row[f"{side}_site"] = site[node] if isinstance(node, Leaf) else ""
        for j, arm in enumerate(arms):
            for p, mediator in enumerate(mediators):
                called = mediator if len(arms) == 1 else f"{mediator}, {arm}"
                row[f"difference[{called}]"] = split.difference[j, p]
                row[f"difference_se[{called}]"] = split.difference_se[j, p]
        found.append(row)
    return pd.DataFrame(found)


def _origin(base: Baseline, how: CausalTree, seed: int, root: Node) -> str:
    used = dict.fromkeys(base.features[s.feature].column for s in splits_of(root))
    on = (
        f"a random {how.share:.0%} of the {base.unit} (seed {seed}), effects estimated on the "
        "others"
        if how.honest
        else "the same persons on whom effects are estimated"
    )
    return (
        f"Sites are {len(leaves_of(root))} leaves of a causal tree for effects on the mediators, "
        f"split by {joined(list(used))} and grown on {on}."
    )


def _caution(how: CausalTree) -> str:
    if how.honest:
        return (
            f"{FOUND_APART}given the tree, estimates and standard errors are those of sites known "
            "beforehand, but another random part gives another tree and another answer. How much "
            "it depends on that shows when the tree is grown repeatedly."
        )
    return (
        f"{FOUND_TWICE}differences between sites are partly chance, standard errors too small, and "
        "slopes not to be trusted."
    )
