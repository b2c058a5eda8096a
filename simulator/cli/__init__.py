"""The command line, a function a command. A command imports its needs when it runs, so that help comes at once."""

import os
import sys

STOPPED_BY_TYPER = 130
PATIENCE = 3.0
"""Seconds from Ctrl-C to the end of the command at most."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 unusable input."""
    # The threads of NumPy's BLAS wait for one another at full speed, on the core of another process.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from simulator.cli.application import run

        status = run()
    except KeyboardInterrupt:
        status = STOPPED_BY_TYPER
    if status == STOPPED_BY_TYPER:
        # Ctrl-C before a command began, while modules were still being imported.
        print("aftercart: stopped", file=sys.stderr)
        status = 1
    failures = sys.modules.get("simulator.cli.failures")
    if failures is not None and failures.CtrlC.pressed:
        _end_soon(status)
    sys.exit(status)


def _end_soon(status: int) -> None:
    """End soon: a thread that reads from a process killed halfway through a message would wait for ever."""
    import threading

    def end() -> None:
        # Like multiprocessing at an exit, or its tracker complains of leaked semaphores.
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util._run_finalizers(0)
        os._exit(status)

    timer = threading.Timer(PATIENCE, end)
    timer.daemon = True
    timer.start()
