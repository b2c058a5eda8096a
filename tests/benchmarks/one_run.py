"""One run in a new process: `one_run.py SCENARIO PATIENTS JOBS` prints its peak memory in MiB, and seconds."""

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


def cost(scenario: str, patients: int, jobs: int = 1) -> Cost:
    """Return what `simulator.run` takes for so many patients by microsim, without histories.

    The seconds include the start of other processes; this file imports little, because they import it again.
    """
    return _cost_of(_started(scenario, patients, jobs), patients)


def side_by_side(scenario: str, patients: int) -> list[Cost]:
    """Return what two runs take at once, each of half the patients: two processes that share nothing."""
    return [_cost_of(process, patients // 2) for process in [_started(scenario, patients // 2, 1) for _ in range(2)]]


def _started(scenario: str, patients: int, jobs: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "one_run.py"), scenario, str(patients), str(jobs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _cost_of(process: subprocess.Popen[str], patients: int) -> Cost:
    output, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    mebibytes, seconds = output.split()
    return Cost(patients, float(mebibytes), float(seconds))


def peak() -> float:
    """Return the peak memory of this process in MiB.

    Linux has a better way than `getrusage`, whose peak can be that of the parent process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(scenario: str, patients: str, jobs: str) -> None:
    import simulator

    file = HERE / f"{scenario}.toml"
    simulator.run(file, engine="microsim", patients=100, replications=1)
    start = perf_counter()
    simulator.run(file, engine="microsim", patients=int(patients), replications=1, jobs=int(jobs))
    print(peak(), perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
