"""A headless Chromium that tests drive over a pipe: no other package is needed for it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest

#: Names that Chromium goes by.
NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Return the path of a Chromium, None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


#: Marks a test that is left out where there is none.
needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="needs Chromium")


class Chromium:
    """One tab. `requested` holds the address of everything the page asked for, `complaints` the
    errors that it or its scripts wrote to the console.
    """

    def __init__(self, program: str, profile: Path, patience_s: float = 240.0) -> None:
        self._patience_s = patience_s
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self._next, self._rest = 0, b""
        there, self._in = os.pipe()
        self._out, back = os.pipe()
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
        ]  # fmt: skip
        # Chromium reads commands from descriptor 3 and writes to 4; sh puts the pipes there.
        script = f'exec "$0" "$@" 3<&{there} 4>&{back}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, *command], pass_fds=(there, back),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(there)
        os.close(back)
        self._session = ""
        targets = self.call("Target.getTargets")["targetInfos"]
        tab = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "DOM", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        os.close(self._in)
        os.close(self._out)
        self._process.kill()
        self._process.wait()

    def call(self, method: str, **parameters: Any) -> Any:
        """Return what Chromium answers to a command of its DevTools protocol."""
        self._next += 1
        message: dict[str, Any] = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._in, json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("method") == "Network.requestWillBeSent":
                self.requested.append(told["params"]["request"]["url"])
            self._hear(told)
            if told.get("id") == self._next:
                assert "error" not in told, told
                return told["result"]

    def _hear(self, told: dict[str, Any]) -> None:
        """Keep what a page complains of."""
        method, said = told.get("method"), told.get("params", {})
        if method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(said["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(said["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and said["type"] == "error":
            self.complaints.append(str(said["args"]))

    def _read(self) -> Any:
        while b"\0" not in self._rest:
            more = os.read(self._out, 1 << 20)
            assert more, "Chromium ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def show(self, width: int, height: int = 1200, dark: bool = False) -> None:
        """Set the size of the window, in pixels, and light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, address: str) -> None:
        """Go to a page."""
        self.call("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> Any:
        """Return the value of an expression once it is true."""
        end = time.monotonic() + self._patience_s
        while not (value := self.run(condition)):
            assert time.monotonic() < end, f"never true: {condition}\n{self.run(_TEXT)}"
            time.sleep(0.2)
        return value

    def drop(self, selector: str, file: Path) -> None:
        """Give a file to the file input that a selector finds."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def type_line(self, text: str) -> None:
        """Type text and Enter into what has the focus."""
        self.call("Input.insertText", text=text)
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def picture(self, target: Path) -> None:
        """Write a PNG of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        target.write_bytes(base64.b64decode(shot["data"]))


_TEXT = "document.body && document.body.innerText"
