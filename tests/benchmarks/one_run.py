"""One run in a process of its own: `one_run.py SCENARIO PATIENTS` prints its peak memory in MiB and its seconds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Cost:
    """What one run took, the library's own memory included and its start-up left out of the seconds."""

    patients: int
    mebibytes: float
    seconds: float


def cost(scenario: str, patients: int) -> Cost:
    """Return what `simulator.run` takes for so many patients by microsim, without histories."""
    command = [sys.executable, str(HERE / "one_run.py"), scenario, str(patients)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Cost(patients, float(told[0]), float(told[1]))


def peak() -> float:
    """Return the peak memory of this process in MiB.

    Not by `getrusage` where there is a better way: on Linux its peak can be that of the process which started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(scenario: str, patients: str) -> None:
    import simulator

    begun = perf_counter()
    simulator.run(HERE / f"{scenario}.toml", engine="microsim", patients=int(patients), replications=1)
    print(peak(), perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:])
