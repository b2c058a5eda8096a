"""A real browser, driven through its own pipe: Debian's Chromium without a window."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

CHROMIUM = shutil.which("chromium")
PATIENCE = 30.0
"""Seconds for a page to be ready."""
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe"),
)


class Page:
    """A page in a browser. requests : addresses that were asked for; complaints : what the console said"""

    def __init__(self, write: IO[bytes], read: IO[bytes]) -> None:
        self._write, self._read, self._rest = write, read, b""
        self._number, self._session = 0, ""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """Return the answer to a command of the DevTools protocol; events on the way are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._write.write(
            json.dumps(message | ({"sessionId": self._session} if self._session else {})).encode() + b"\0"
        )
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._keep(answer)

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            more = self._read.read(1 << 16)
            assert more, "the browser is gone"
            self._rest += more
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def _keep(self, event: Any) -> None:
        method, about = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(about["exceptionDetails"].get("text", "exception"))
        elif method == "Log.entryAdded":
            self.complaints.append(about["entry"]["text"])

    def open(self, address: str, width: int = 1280, height: int = 900) -> None:
        """Open an address and wait until the page says that it is ready."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE
        while not self.run("document.readyState === 'complete' && document.documentElement.dataset.ready || ''"):
            assert time.monotonic() < until, f"the page is not ready: {self.complaints}"
            time.sleep(0.02)

    def run(self, script: str) -> Any:
        """Return what an expression comes to in the page."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, element: str, key: str, times: int = 1) -> None:
        """Press a key on an element, by its id."""
        self.run(f"document.getElementById({json.dumps(element)}).focus()")
        code = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Enter": 13, "Tab": 9}[key]
        for _ in range(times):
            letter = {"text": "\r"} if key == "Enter" else {}
            for kind, more in (("keyDown", letter), ("keyUp", {})):
                self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def text(self, element: str) -> str:
        """Return the text of an element, by its id."""
        return str(self.run(f"document.getElementById({json.dumps(element)}).textContent"))


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Yield a page of a new browser; skip the test where there is none, and fail in CI."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium: .ci/run installs it")
        pytest.skip("no Chromium on this machine")
    commands, answers = os.pipe(), os.pipe()

    def as_3_and_4() -> None:
        given = os.dup(commands[0]), os.dup(answers[1])
        os.dup2(given[0], 3)
        os.dup2(given[1], 4)

    process = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}"],
        preexec_fn=as_3_and_4,
        close_fds=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands[0])
    os.close(answers[1])
    try:
        with os.fdopen(commands[1], "wb", buffering=0) as write, os.fdopen(answers[0], "rb", buffering=0) as read:
            yield Page(write, read)
    finally:
        process.kill()
        process.wait()
