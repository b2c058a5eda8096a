"""The looks of states: a state's colour and hatch come from its place in the pathway, the same in every figure and run.

The living are light if early and dark if late, so that their order can be read in grey; the dead are grey. States that
follow one another differ in their hatch, too, as many shades of grey are too like one another. No colour is a policy's
(see `style.POLICIES`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib.colors import LinearSegmentedColormap, to_hex

from simulator.figures import style
from simulator.pathway.pathway import Pathway

# From sand over brown to violet, in even steps of lightness.
_LIVING = LinearSegmentedColormap.from_list(
    "living", ["#f6edc4", "#d8c77c", "#b3a14c", "#96734a", "#7d4a5e", "#352669"]
)
_LIVING_HATCHES = ("", "////", "....", "\\\\\\\\")
_DEAD = (
    ("#979797", "////"),
    ("#dedede", "////"),
    ("#bdbdbd", ""),
    ("#ababab", "----"),
    ("#cecece", ""),
    ("#8a8a8a", ""),
)


@dataclass(frozen=True)
class Look:
    """The colour and the hatch of an area."""

    colour: str
    hatch: str

    @property
    def drawn(self) -> dict[str, Any]:
        """The look as arguments of an area: its hatch is white on a dark colour, and darker than a light one."""
        ink = "white" if style.luminance(self.colour) < DARK else style.shade(self.colour, 0.6)
        return {"facecolor": self.colour, "hatch": self.hatch or None, "edgecolor": ink, "linewidth": 0.0}


DARK = 0.35
"""Luminance below which white lines are seen best."""

OTHER = Look("#ffffff", "")
"""Of the states that share a layer."""


def looks(pathway: Pathway) -> Mapping[str, Look]:
    """Return the look of every state in which time passes, and of every death."""
    states = [pathway.states[name] for name in pathway.in_order]
    living = [state.name for state in states if state.kind in ("sojourn", "end")]
    dead = [state.name for state in states if state.kind == "death"]
    places = [place / max(len(living) - 1, 1) for place in range(len(living))]
    hatches = cycle(_LIVING_HATCHES)
    of_living = {
        name: Look(to_hex(_LIVING(place)), hatch) for name, place, hatch in zip(living, places, hatches, strict=False)
    }
    return of_living | {name: Look(*look) for name, look in zip(dead, cycle(_DEAD), strict=False)}
