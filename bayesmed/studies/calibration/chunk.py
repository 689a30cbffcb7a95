"""The task of a calibration: some replicates of one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmed.core.errors import BayesmedError
from bayesmed.data import SiteEstimates
from bayesmed.formulas.ranks import rank_among
from bayesmed.generative import AnyModel, AnyTrialModel
from bayesmed.inference import Sampler
from bayesmed.studies.calibration.joint import Joint, site_joint, trial_joint
from bayesmed.studies.task import Row

__all__ = ["CalibrationChunk"]


@dataclass(frozen=True)
class CalibrationChunk:
    """Replicates ``first`` up to, but without, ``end``.

    What a replicate is depends on the seed of the whole study and its number alone.
    """

    model: AnyModel | AnyTrialModel
    data: Any
    sampler: Sampler
    ranks: int
    first: int
    end: int
    study_seed: int

    @property
    def key(self) -> str:
        """Name of the piece."""
        return f"replicates {self.first + 1} to {self.end}"

    def run(self, seed: int) -> list[Row]:  # replicates have seeds of their own
        """Return a row for each quantity of each replicate, or for a fit that failed."""
        return [row for i in range(self.first, self.end) for row in self._replicate(i)]

    def _replicate(self, number: int) -> list[Row]:
        sequence = np.random.SeedSequence(self.study_seed, spawn_key=(number,))
        seed = int(sequence.generate_state(1)[0])
        try:
            joint = self._joint(seed)
        except BayesmedError as error:
            return [_row(number, "", -1, 0, f"{type(error).__name__}: {error}")]
        names = [k for k in joint.truth if _told(joint, k)]
        truth = np.array([joint.truth[k] for k in names])
        draws = np.stack([joint.draws[k] for k in names], axis=1)
        found = rank_among(truth, draws, np.random.default_rng(sequence.spawn(1)[0])).tolist()
        n = joint.divergences
        return [_row(number, k, r, n, "") for k, r in zip(names, found, strict=True)]

    def _joint(self, seed: int) -> Joint:
        kept = self.ranks - 1
        if isinstance(self.data, SiteEstimates):
            model: Any = self.model
            return site_joint(model, self.data, self.sampler, kept, seed)
        trial: Any = self.model
        return trial_joint(trial, self.data, self.sampler, kept, seed)


def _told(joint: Joint, name: str) -> bool:
    """Say whether a quantity is no constant, such as a type's slope where it has no persons."""
    draws, truth = joint.draws[name], joint.truth[name]
    finite = bool(np.isfinite(draws).all() and np.isfinite(truth))
    return finite and bool((draws != truth).any())


def _row(number: int, quantity: str, rank: int, divergences: int, error: str) -> Row:
    return {
        "replicate": number + 1,
        "quantity": quantity,
        "rank": rank,
        "divergences": divergences,
        "error": error,
    }
