"""Measure everything and write `docs/performance.md`: `python tests/benchmarks/performance.py`.

It takes about ten minutes on an otherwise idle machine. `--quick` takes seconds and only shows that
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
    """Measure and write; return 0 even if a floor is missed, which the document states."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few patients: do all the measurements work?")
    parser.add_argument("--out", type=Path, help=f"default: docs/{PLACE.name}; with --quick, standard output")
    options = parser.parse_args(arguments)
    measured = everything(QUICK if options.quick else Sizes(), lambda step: print(f"{step} ...", file=sys.stderr))
    text = page(measured, quick=options.quick)
    place = options.out or (None if options.quick else PLACE)
    if place is None:
        print(text, end="")
    else:
        place.write_text(text, encoding="utf-8")
    for sentence in missed(measured) if not options.quick else ():
        print(f"missed: {sentence}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
