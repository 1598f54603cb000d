"""A real browser, driven through the pipe that Chromium offers for it: real keys, real layout, real pixels, no
network.
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TIMEOUT = 60.0
_LOWEST_FD = 20
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--force-color-profile=srgb",
    "--font-render-hinting=none", "--remote-debugging-pipe",
)  # fmt: skip
_KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, ""), " ": (32, " ")}


class Browser:
    """One page of a running Chromium."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._numbers = itertools.count(1)
        self._pending = b""
        self._session = ""
        self.events: list[dict[str, Any]] = []

    def open_page(self) -> None:
        """Make the page that everything else happens in."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session and not method.startswith("Target."):
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)
        raise AssertionError("unreachable: messages end with a result or a timeout")

    def wait_for(self, event: str) -> None:
        """Return once an event has come."""
        if any(one.get("method") == event for one in self.events):
            return
        for message in self._messages():
            self.events.append(message)
            if message.get("method") == event:
                return

    def _messages(self) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + _TIMEOUT
        while True:
            while b"\0" in self._pending:
                message, _, self._pending = self._pending.partition(b"\0")
                yield json.loads(message)
            ready, _, _ = select.select([self._answers], [], [], max(deadline - time.monotonic(), 0.0))
            assert ready, "the browser did not answer in time"
            data = os.read(self._answers, 1 << 20)
            assert data, "the browser went away"
            self._pending += data

    def load(
        self,
        page: Path,
        *,
        width: int = 1200,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
        printed: bool = False,
    ) -> None:
        """Open a file in a window of this size."""
        self.events.clear()
        scheme = "dark" if dark else "light"
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        media = "print" if printed else ""
        self.send(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.send("Page.navigate", url=page.as_uri())
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """Return the JSON value of an expression in the page; promises are awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press and release a key, as a keyboard would."""
        code, text = _KEYS.get(key, (ord(key.upper()) if len(key) == 1 else 0, key))
        common: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type a text key by key."""
        for character in text:
            self.press(character)

    def settle(self) -> None:
        """Return when what was scheduled for the next frame has happened."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")

    def printed_pages(self) -> int:
        """Return on how many sheets of A4 the page is printed."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69}
        pdf = base64.b64decode(self.send("Page.printToPDF", **size)["data"])
        return len(re.findall(rb"/Type\s*/Page\b", pdf))

    def screenshot(self, *, height: int, scale: float, width: int = 1200) -> bytes:
        """Return the top of the page as PNG, made smaller by the browser."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
        return base64.b64decode(self.send("Page.captureScreenshot", format="png", clip=clip)["data"])

    def problems(self) -> list[str]:
        """Return what the console, the policy or the network complained of, and every request but the page itself."""
        found = [str(event["params"]["entry"]["text"]) for event in self._named("Log.entryAdded")]
        found += [str(event["params"]["exceptionDetails"]) for event in self._named("Runtime.exceptionThrown")]
        urls = [str(event["params"]["request"]["url"]) for event in self._named("Network.requestWillBeSent")]
        return found + urls[1:]

    def _named(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("method") == method]


@contextmanager
def running(executable: str, folder: Path) -> Iterator[Browser]:
    """Start a browser with a profile in `folder`; it is gone afterwards, come what may."""
    (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LOWEST_FD) for fd in (their_in, their_out)]
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
    actions += [(os.POSIX_SPAWN_DUP2, nothing, fd) for fd in (0, 1, 2)]
    command = [executable, *_FLAGS, f"--user-data-dir={folder}", "about:blank"]
    environment = {**os.environ, "HOME": str(folder)}
    pid = os.posix_spawn(executable, command, environment, file_actions=actions, setpgroup=0)
    for fd in (their_in, their_out, *high, nothing):
        os.close(fd)
    try:
        browser = Browser(our_out, our_in)
        browser.open_page()
        yield browser
    finally:
        os.close(our_out)
        os.close(our_in)
        # The group is the browser's own: it was made for it.
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
