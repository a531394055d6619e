"""A real browser for tests: headless Chromium, driven over the DevTools protocol with real key presses."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from conftest import required

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--no-default-browser-check", "--mute-audio",
)  # fmt: skip
CODES = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27}
SECONDS = 20.0


class Browser:
    """One Chromium process, and the socket that commands it."""

    def __init__(self, folder: Path, program: str) -> None:
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        command = [program, *FLAGS, *sandbox, f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        said = folder / "DevToolsActivePort"
        until = time.monotonic() + SECONDS
        while not (said.is_file() and len(said.read_text().split()) == 2):
            assert time.monotonic() < until and self.process.poll() is None, "chromium did not start"
            time.sleep(0.05)
        port, path = said.read_text().split()
        self.loop = asyncio.new_event_loop()
        self.numbers = itertools.count(1)
        self.replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        self.loop.run_until_complete(self._connect(f"ws://127.0.0.1:{port}{path}"))

    async def _connect(self, url: str) -> None:
        self.session = aiohttp.ClientSession()
        self.socket = await self.session.ws_connect(url, max_msg_size=0)
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            told = message.json()
            if "id" in told:
                self.replies.pop(told["id"]).set_result(told)
            else:
                self.events.append(told)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""

        async def send() -> dict[str, Any]:
            number = next(self.numbers)
            reply = self.replies[number] = self.loop.create_future()
            await self.socket.send_json({"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {}))
            return await asyncio.wait_for(reply, SECONDS)

        told = self.loop.run_until_complete(send())
        assert "error" not in told, (method, told)
        return told["result"]  # type: ignore[no-any-return]

    def page(self, url: str = "about:blank") -> Page:
        """A new page in a profile of its own: no other page's storage."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.call("Runtime.enable")
        page.call("Log.enable")
        if url != "about:blank":
            page.open(url)
        return page

    def close(self) -> None:
        async def end() -> None:
            self.reading.cancel()
            await self.session.close()

        self.loop.run_until_complete(end())
        self.loop.close()
        self.process.terminate()
        self.process.wait(SECONDS)


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **parameters)

    def open(self, url: str) -> None:
        """Go there."""
        self.call("Page.enable")
        before = self._loads()
        self.call("Page.navigate", url=url)
        until = time.monotonic() + SECONDS
        while self._loads() == before:
            assert time.monotonic() < until, f"{url}: not loaded"
            self.js("0")

    def _loads(self) -> int:
        return sum(event["method"] == "Page.loadEventFired" and event.get("sessionId") == self.session for event in self.browser.events)

    def js(self, expression: str) -> Any:
        """The value of an expression."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression holds."""
        until = time.monotonic() + SECONDS
        while not self.js(f"Boolean({expression})"):
            assert time.monotonic() < until, f"{expression}: not so\n{self.text()}"
            time.sleep(0.02)

    def text(self, selector: str = "body") -> str:
        """What is read there."""
        return self.js(f"document.querySelector({selector!r})?.innerText ?? ''") or ""

    def key(self, key: str, *, repeat: bool = False) -> None:
        """Press and let go of a key."""
        told: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": CODES.get(key, ord(key[0].upper()))}
        text = {"text": "\r" if key == "Enter" else key} if key not in CODES or key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", autoRepeat=repeat, **told, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def type(self, text: str) -> None:
        """Put text in, as an input method does."""
        self.call("Input.insertText", text=text)

    def errors(self) -> list[str]:
        """What went wrong in the page: exceptions, refused resources, breaches of its policy."""
        own = [event for event in self.browser.events if event.get("sessionId") == self.session]
        thrown = [str(event["params"]["exceptionDetails"]) for event in own if event["method"] == "Runtime.exceptionThrown"]
        logged = [str(event["params"]["entry"]["text"]) for event in own if event["method"] == "Log.entryAdded"]
        return thrown + logged

    def screenshot(self, path: Path) -> None:
        """A PNG of what is in view."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium, or any other; tests that ask for it are skipped where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        (pytest.fail if required("browser") else pytest.skip)("no chromium (apt-get install chromium)")
    made = Browser(tmp_path_factory.mktemp("chromium"), program)
    yield made
    made.close()
