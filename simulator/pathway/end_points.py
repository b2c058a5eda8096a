"""End points: sets of states, grouped by cause. A patient's first entry into one of them is the event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import Field

from simulator.files import toml
from simulator.pathway.outcome_months import OutcomeMonths, in_words, written


class EndPointTable(toml.Table):
    """An event: a patient's first entry, from the start of a clock on, into a state of any cause."""

    label: toml.Line | None = Field(None, description="survival without the event, as in event-free survival")
    meaning: str = ""
    causes: dict[str, str | list[str]] = Field(description="cause = its state, or a list of its states")


class Described(NamedTuple):
    """An outcome's words, the unit of their display, the unit of its values, and the month that it is read at."""

    words: str
    display: str
    unit: str
    month: float | None = None


@dataclass(frozen=True)
class EndPoint:
    """`causes`: cause -> its states. `label` : of survival without the event."""

    name: str
    label: str
    meaning: str
    causes: Mapping[str, tuple[str, ...]]

    @property
    def states(self) -> tuple[str, ...]:
        """The states of every cause."""
        return tuple(name for states in self.causes.values() for name in states)

    @property
    def median(self) -> str:
        """The outcome's name: "median_efs"."""
        return f"median_{self.name}"

    def free_at(self, month: float) -> str:
        """Return the outcome's name: "efs_12"."""
        return f"{self.name}_{written(month)}"

    def mean_to(self, month: float) -> str:
        """Return the outcome's name: "rmst_efs_12"."""
        return f"rmst_{self.name}_{written(month)}"

    def incidence_at(self, cause: str, month: float) -> str:
        """Return the outcome's name: "efs_progression_12"."""
        return f"{self.name}_{cause.replace(' ', '_')}_{written(month)}"

    def outcomes(self, months: OutcomeMonths) -> Iterator[tuple[str, Described]]:
        """Yield the names of the end point's outcomes, with their descriptions."""
        for month in months.survival:
            yield self.free_at(month), Described(f"{self.label} at {in_words(month)}", "%", "probability", month)
        yield self.median, Described(f"median {self.label}", "months", "months")
        for month in months.means:
            yield self.mean_to(month), Described(f"mean {self.label} to month {month:g}", "months", "months", month)
        for cause in self.causes:
            for month in months.survival:
                words = f"{in_words_of(cause)} as first event by {in_words(month)} ({self.label})"
                yield self.incidence_at(cause, month), Described(words, "%", "probability", month)


def in_words_of(cause: str) -> str:
    """Return a cause as sentences say it."""
    return cause.replace("_", " ")


def end_point(name: str, table: EndPointTable) -> EndPoint:
    """Return the end point that a table declares."""
    causes = {
        cause: (states,) if isinstance(states, str) else tuple(dict.fromkeys(states))
        for cause, states in table.causes.items()
    }
    return EndPoint(name, table.label or name.replace("_", " "), table.meaning, causes)
