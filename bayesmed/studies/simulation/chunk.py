"""The task of a simulated study: some replicates of one design, analysed in every way asked for."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass

import numpy as np

from bayesmed.studies.simulation.analysis import Analysis
from bayesmed.studies.simulation.design import Design, label
from bayesmed.studies.task import Row


@dataclass(frozen=True)
class Chunk:
    """Replicates ``first`` up to, but without, ``end`` of a design.

    What a replicate is depends on the seed of the whole study, its design and its number alone:
    neither on the chunk it is in, nor on the other analyses made of it.
    """

    design: Design
    analyses: tuple[Analysis, ...]
    first: int
    end: int
    study_seed: int

    @property
    def key(self) -> str:
        """Name of the piece."""
        return f"{label(self.design)}, replicates {self.first + 1} to {self.end}"

    def run(self, seed: int) -> list[Row]:  # replicates have seeds of their own
        """Draw and analyse the replicates, one row for each analysis of each."""
        name = hashlib.blake2b(label(self.design).encode(), digest_size=16)
        words = tuple(np.frombuffer(name.digest(), dtype="<u4").tolist())
        return [row for i in range(self.first, self.end) for row in self._replicate(i, words)]

    def _replicate(self, number: int, words: tuple[int, ...]) -> list[Row]:
        key = (*words, number)
        data = self.design.draw(np.random.default_rng(_sequence(self.study_seed, key)))
        rows: list[Row] = []
        for analysis in self.analyses:
            own = _sequence(self.study_seed, (*key, zlib.crc32(analysis.name.encode())))
            found = analysis.answer(data, int(own.generate_state(1)[0]))
            rows.append(
                {
                    "design": label(self.design),
                    "replicate": number + 1,
                    "estimator": analysis.name,
                    "estimate": found.estimate,
                    "low": found.low,
                    "high": found.high,
                    "divergences": found.divergences,
                }
            )
        return rows


def _sequence(seed: int, key: tuple[int, ...]) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=key)
