"""Measure everything and write `docs/performance.md`: `python tests/benchmarks/performance.py`.

It takes about ten minutes, on a machine that should do nothing else. `--quick` takes seconds and only shows that
everything can be measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from document import missed, page
from measure import QUICK, Sizes, everything

PLACE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; return 0 even where a floor is missed, which the document says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few patients: do all the measurements work?")
    parser.add_argument("--out", type=Path, help=f"default: docs/{PLACE.name}; with --quick, standard output")
    given = parser.parse_args(arguments)
    measured = everything(QUICK if given.quick else Sizes(), lambda told: print(f"{told} ...", file=sys.stderr))
    text = page(measured, quick=given.quick)
    place = given.out or (None if given.quick else PLACE)
    if place is None:
        print(text, end="")
    else:
        place.write_text(text, encoding="utf-8")
    for each in missed(measured) if not given.quick else ():
        print(f"missed: {each}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
