"""Two processes never work in one folder, and a killed process does not block another."""

import subprocess
import sys
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.files import lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")

HOLD = """
import sys, time
from pathlib import Path
from simulator.files.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_locked_folder_is_refused_until_it_is_released(tmp_path: Path) -> None:
    with lock.held(tmp_path) as is_held:
        assert is_held
        with (
            pytest.raises(InputError, match=r"another aftercart command is using this folder; allowed: another folder"),
            lock.held(tmp_path),
        ):
            pass
    with lock.held(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_killed_process_releases_its_folder(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another aftercart"), lock.held(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with lock.held(tmp_path):
        pass
