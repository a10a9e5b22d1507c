"""Drives browsers by the commands of WebDriver: Firefox by its own port for them, WebKitGTK by Debian's driver.

Both take the same commands; Firefox, by a protocol called Marionette, needs no program in between.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.support import processes

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name that the standard gives a reference to an element."""
# Nothing is asked of the internet: whatever is not on this machine is refused at once.
NOBODY = "127.0.0.1:9"
HERE = ("localhost", "127.0.0.1", "127.0.0.2")
INSECURE = {"acceptInsecureCerts": True}
PATHS = {
    "Navigate": ("POST", "/url"),
    "ExecuteScript": ("POST", "/execute/sync"),
    "ElementClick": ("POST", "/element/{id}/click"),
    "ElementSendKeys": ("POST", "/element/{id}/value"),
    "SwitchToFrame": ("POST", "/frame"),
    "SwitchToWindow": ("POST", "/window"),
    "GetWindowHandle": ("GET", "/window"),
    "GetWindowHandles": ("GET", "/window/handles"),
    "CloseWindow": ("DELETE", "/window"),
}
PREFERENCES: Mapping[str, object] = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en-GB",
}


class DriverError(Exception):
    """The browser could not do it; `kind` is the standard's word for why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Driver(Protocol):
    """Takes commands."""

    def ask(self, command: str, **parameters: Any) -> Any:
        """Return what the browser answers; raises DriverError."""


class Engine(Protocol):
    """A browser that several tests use one after the other."""

    def fresh(self, **preferences: object) -> AbstractContextManager[Driver]:
        """One window in which nothing is kept from before; only Firefox knows preferences."""


class WebKit:
    """WebKitGTK, by its driver, which speaks HTTP: a browser of its own for each test."""

    def __init__(self, browser: str, environ: Mapping[str, str]) -> None:
        self.browser, self.environ, self.port, self.session = browser, environ, 0, ""

    @contextmanager
    def fresh(self) -> Iterator[Driver]:
        own, self.port = processes.free_port(), processes.free_port()
        environ = {**self.environ, "WEBKIT_INSPECTOR_SERVER": f"127.0.0.1:{own}"}
        driver = ["WebKitWebDriver", f"--port={self.port}", f"--target=127.0.0.1:{own}"]
        # A proxy among the driver's capabilities now and then ends the browser at once.
        proxy = [f"--proxy=http://{NOBODY}", *(f"--ignore-host={host}" for host in HERE)]
        browser = [self.browser, "--automation", *proxy]
        with _child(browser, environ), _child(driver, self.environ):
            processes.until(lambda: processes.listens(own), "WebKitGTK")
            processes.until(lambda: processes.listens(self.port), "WebKitWebDriver")
            result = self._send("POST", "/session", {"capabilities": {"alwaysMatch": INSECURE}})
            self.session = f"/session/{result['sessionId']}"
            yield self
            self._send("DELETE", self.session)

    def ask(self, command: str, **parameters: Any) -> Any:
        method, path = PATHS[command]
        where = self.session + path.format(**parameters)
        return self._send(method, where, parameters if method == "POST" else None)

    def _send(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=processes.PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            result = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(result, dict) and "error" in result:
            raise DriverError(result["error"], result["message"])
        return result


class Firefox:
    """Firefox, by its Marionette, which speaks lists in JSON after their length: one browser, emptied each time."""

    def __init__(self, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=processes.PATIENCE)
        self.file = self.connection.makefile("rb")
        self.number = 0
        self._read()  # its greeting
        proxy = {"proxyType": "manual", "httpProxy": NOBODY, "sslProxy": NOBODY, "noProxy": HERE}
        self._send("WebDriver:NewSession", {**INSECURE, "proxy": proxy})

    @contextmanager
    def fresh(self, **preferences: object) -> Iterator[Driver]:
        # Under automation Firefox lets every window open; a reader's opens those alone that a click asked for.
        self._as_browser(_PREPARE, {"dom.disable_open_during_load": True, **preferences})
        yield self
        first, *others = self.ask("GetWindowHandles")
        for window in others:
            self.ask("SwitchToWindow", handle=window)
            self.ask("CloseWindow")
        self.ask("SwitchToWindow", handle=first)
        self.ask("Navigate", url="about:blank")
        self._as_browser(_EMPTY, list(preferences))

    def ask(self, command: str, **parameters: Any) -> Any:
        if command == "SwitchToFrame" and parameters["id"]:
            parameters = {"element": parameters["id"][ELEMENT]}
        return self._send(f"WebDriver:{command}", parameters)

    def close(self) -> None:
        self.file.close()
        self.connection.close()

    def _as_browser(self, script: str, *arguments: object) -> None:
        """Run a script with the rights of the browser itself, which can change its settings."""
        self._send("Marionette:SetContext", {"value": "chrome"})
        self._send("WebDriver:ExecuteAsyncScript", {"script": script, "args": arguments})
        self._send("Marionette:SetContext", {"value": "content"})

    def _send(self, command: str, parameters: object) -> Any:
        self.number += 1
        message = json.dumps([0, self.number, command, parameters]).encode()
        self.connection.sendall(b"%d:%s" % (len(message), message))
        _, _, fault, found = self._read()
        if fault:
            raise DriverError(fault["error"], fault["message"])
        return found["value"] if isinstance(found, dict) and found.keys() == {"value"} else found

    def _read(self) -> Any:
        length = b""
        while (digit := self.file.read(1)) != b":":
            if not digit:
                raise ConnectionError("Firefox has ended")
            length += digit
        return json.loads(self.file.read(int(length)))


_PREPARE = """
const [preferences, done] = arguments;
for (const [name, value] of Object.entries(preferences))
    (typeof value === "number" ? Services.prefs.setIntPref : Services.prefs.setBoolPref)(name, value);
done();
"""
_EMPTY = """
const [names, done] = arguments;
for (const name of names) Services.prefs.clearUserPref(name);
Services.clearData.deleteData(Ci.nsIClearDataService.CLEAR_ALL, () => done());
"""


@contextmanager
def webkit(folder: Path, browser: str) -> Iterator[Engine]:
    """WebKitGTK's `browser` on a screen that nobody sees."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    with _child(command, {}, stdout=subprocess.PIPE) as screen:
        assert screen.stdout is not None
        with screen.stdout:
            environ = {"DISPLAY": f":{screen.stdout.readline().decode().strip()}", "HOME": str(folder)}
        yield WebKit(browser, environ)


@contextmanager
def firefox(folder: Path, browser: str) -> Iterator[Engine]:
    """Firefox, with a profile of its own in `folder`."""
    port = processes.free_port()
    settings = {**PREFERENCES, "marionette.port": port}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items())
    (folder / "user.js").write_text("\n".join(lines))
    switches = ["--headless", "--marionette", "--remote-allow-system-access", "--profile", str(folder)]
    with _child([browser, *switches], {"HOME": str(folder)}):
        results: list[Firefox] = []
        processes.until(lambda: _connects(port, results), "Firefox")
        with closing(results[0]):
            yield results[0]


def _connects(port: int, found: list[Firefox]) -> bool:
    try:
        found.append(Firefox(port))
    except ConnectionError:
        return False
    return True


@contextmanager
def _child(
    command: list[str], environ: Mapping[str, str], stdout: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(command, env={**os.environ, **environ}, stdout=stdout, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(processes.PATIENCE)
