"""What a measurement has found: models, modes, costs and failures of one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from search.failures import Failure
from search.measure import Outcome, Summary, summarise


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model costs; the speed is that of encoding `timed` texts of the corpus anew."""

    dimension: int
    vectors: int
    timed: int
    texts_per_second: float

    @property
    def corpus_seconds(self) -> float:
        """How long all vectors of the corpus take at that speed."""
        return self.vectors / self.texts_per_second


@dataclass(frozen=True, slots=True)
class ModelRun:
    """Every question under every mode with one model."""

    name: str
    """As it was asked for."""
    model_id: str
    calibrated: bool
    """Whether the thresholds of the confidence are meant for this model."""
    outcomes: Mapping[str, list[Outcome]]
    cost: Cost | None
    failures: tuple[Failure, ...]

    def summaries(self) -> list[Summary]:
        """One a mode, in their order."""
        return [summarise(mode, found) for mode, found in self.outcomes.items()]


@dataclass(frozen=True, slots=True)
class Report:
    """One data set; `lead` is the mode that models are compared and failures shown in."""

    dataset: str
    lead: str
    runs: tuple[ModelRun, ...]
