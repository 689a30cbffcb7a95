"""A tree of splits: what its leaves are, and how it is cut back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Bounds",
    "Leaf",
    "Node",
    "Split",
    "Summary",
    "bounds_of",
    "leaves_of",
    "merged",
    "splits_of",
    "with_most_leaves",
]

type Node = Leaf | Split
type Bounds = Mapping[int, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Summary:
    """What the persons of a node say of their effects on mediators.

    Parameters
    ----------
    n
        Persons.
    fewest
        Persons in the smallest arm; half of all, where treatment is an amount.
    effect, se
        (J, P) effects of treatments on mediators, and their standard errors.
    """

    n: int
    fewest: int
    effect: NDArray[np.float64]
    se: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Leaf:
    """Persons who are together."""

    summary: Summary


@dataclass(frozen=True, eq=False)
class Split:
    """Persons told apart by one feature.

    Parameters
    ----------
    feature
        Number of the feature.
    edge
        Persons with less are ``below``, the others ``above``.
    below, above
        What follows.
    summary
        All persons of the split.
    """

    feature: int
    edge: float
    below: Node
    above: Node
    summary: Summary

    @property
    def difference(self) -> NDArray[np.float64]:
        """(J, P) effects above less those below."""
        return self.above.summary.effect - self.below.summary.effect

    @property
    def difference_se(self) -> NDArray[np.float64]:
        """(J, P) standard errors of `difference`."""
        return np.hypot(self.above.summary.se, self.below.summary.se)

    @property
    def contrast(self) -> float:
        """Sum of the squared differences, each in its standard errors."""
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = (self.difference / self.difference_se) ** 2
        return float(np.nan_to_num(squared).sum())


def leaves_of(node: Node) -> list[Leaf]:
    """Return the leaves, what is below first."""
    if isinstance(node, Leaf):
        return [node]
    return leaves_of(node.below) + leaves_of(node.above)


def splits_of(node: Node) -> list[Split]:
    """Return the splits, each before those that follow it."""
    if isinstance(node, Leaf):
        return []
    return [node, *splits_of(node.below), *splits_of(node.above)]


def bounds_of(root: Node) -> dict[Node, Bounds]:
    """Return the bounds of every node: feature's number to (low, high), low ≤ x < high."""
    found: dict[Node, Bounds] = {}

    def visit(node: Node, bounds: Bounds) -> None:
        found[node] = bounds
        if isinstance(node, Split):
            low, high = bounds.get(node.feature, (-math.inf, math.inf))
            visit(node.below, {**bounds, node.feature: (low, node.edge)})
            visit(node.above, {**bounds, node.feature: (node.edge, high)})

    visit(root, {})
    return found


def merged(node: Node, too_small: Callable[[Leaf], bool]) -> Node:
    """Undo the splits, from the leaves up, that leave a leaf too small.

    Where such a leaf stands beside further splits, its persons go through these. The summaries of
    what they join are then those of fewer persons; see `summarised`.
    """
    if isinstance(node, Leaf):
        return node
    below, above = merged(node.below, too_small), merged(node.above, too_small)
    small = [isinstance(side, Leaf) and too_small(side) for side in (below, above)]
    if isinstance(below, Leaf) and isinstance(above, Leaf):
        return Leaf(node.summary) if any(small) else replace(node, below=below, above=above)
    if any(small):
        return above if small[0] else below
    return replace(node, below=below, above=above)


def with_most_leaves(root: Node, most: int) -> Node:
    """Undo the splits that tell least apart until there are at most so many leaves."""
    while len(leaves_of(root)) > most:
        ends = [
            s for s in splits_of(root) if isinstance(s.below, Leaf) and isinstance(s.above, Leaf)
        ]
        root = _undone(root, min(ends, key=lambda split: split.contrast))
    return root


def _undone(node: Node, split: Split) -> Node:
    if node is split:
        return Leaf(node.summary)
    if isinstance(node, Leaf):
        return node
    return replace(node, below=_undone(node.below, split), above=_undone(node.above, split))
