"""Looks at pages and acts on them in any browser that takes WebDriver's commands, as patiently as a reader."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.support import processes
from tests.support.webdriver import Driver, DriverError

ENTER = "\ue007"
"""The standard's name for the key."""
FRAME = """
const find = (root) => root.querySelector("iframe")
    ?? [...root.querySelectorAll("*")].map(({ shadowRoot }) => shadowRoot && find(shadowRoot)).find(Boolean)
    ?? null;
return find(document);
"""
"""The first frame of a page, in whatever shadow root it stands."""
VISIBLE = """
const [selector, text] = arguments;
return [...document.querySelectorAll(selector)].find((element) =>
    element.checkVisibility({ visibilityProperty: true }) && element.textContent.includes(text)) ?? null;
"""
PLACE = f"""
const {{ top, left, width, height }} = (() => {{ {VISIBLE} }})(...arguments).getBoundingClientRect();
return [top, left, width, height, innerHeight];
"""


@dataclass(frozen=True)
class View:
    """A window's page, or the comment frame in it. Everything waits until it can be done."""

    driver: Driver
    window: str
    framed: bool = False

    @property
    def thread(self) -> View:
        """The comment frame in this page."""
        return replace(self, framed=True)

    def go(self, url: str) -> View:
        """Load a page."""
        self._enter()
        self.driver.ask("Navigate", url=url)
        return self

    def run(self, script: str, *arguments: object) -> Any:
        """Return what a script in the page returns now."""
        self._enter()
        return self.driver.ask("ExecuteScript", script=script, args=list(arguments))

    def until(self, script: str, *arguments: object, what: str = "") -> Any:
        """Return what a script returns, once that is true."""
        return self._patiently(lambda: self.run(script, *arguments), what or f"{script} {arguments}")

    def sees(self, text: str, within: str = "body") -> bool:
        """Whether the reader sees a text now."""
        return self.run(VISIBLE, within, text) is not None

    def shows(self, text: str, within: str = "body") -> None:
        """Wait until the reader sees a text in something that `within` selects."""
        self.until(VISIBLE, within, text, what=f"{text!r} in {within}")

    def hides(self, selector: str) -> None:
        """Wait until the reader sees nothing of that kind."""
        self.until(f"return !(() => {{ {VISIBLE} }})(...arguments)", selector, "", what=f"no {selector}")

    def click(self, selector: str, text: str = "") -> None:
        """Click what the reader sees, with the pointer, once it stands still."""
        places: list[object] = [None]

        def click() -> bool:
            found = self.run(VISIBLE, selector, text)
            places.append(self.run(PLACE, selector, text) if found else None)
            still = places[-1] is not None and places[-1] == places[-2]
            if still:
                self.driver.ask("ElementClick", id=next(iter(found.values())))
            return still

        self._patiently(click, f"a click on {selector} {text}")

    def press(self, selector: str, done: Callable[[], object], what: str) -> None:
        """Click something until `done`: a page that loads may move it away in between."""
        self.click(selector)
        pressed = [time.monotonic()]

        def tried() -> object:
            if not (result := done()) and time.monotonic() > pressed[-1] + 5:
                pressed.append(time.monotonic())
                if again := self.run(VISIBLE, selector, ""):
                    self.driver.ask("ElementClick", id=next(iter(again.values())))
            return result

        self._patiently(tried, f"{what} after clicks on {selector}")

    def type(self, selector: str, text: str) -> None:
        """Type into a field, key by key."""
        result = self.until(VISIBLE, selector, "", what=selector)
        keys = text.replace("\n", ENTER)
        self.driver.ask("ElementSendKeys", id=next(iter(result.values())), text=keys)

    def another(self, part: str) -> View:
        """Return a further window whose address contains `part`, once there is one."""
        seen: dict[str, str] = {}

        def found() -> View | None:
            seen.clear()
            for window in self.driver.ask("GetWindowHandles"):
                view = View(self.driver, window)
                seen[window] = view.run("return location.href") or ""
                if window != self.window and part in seen[window]:
                    return view
            return None

        try:
            view = self._patiently(found, f"a window at {part}")
        except AssertionError as error:
            raise AssertionError(f"{error}; there are {list(seen.values())}") from None
        assert isinstance(view, View)
        return view

    def close(self) -> None:
        """Close the window."""
        self._enter()
        self.driver.ask("CloseWindow")

    def _enter(self) -> None:
        self.driver.ask("SwitchToWindow", handle=self.window)
        self.driver.ask("SwitchToFrame", id=None)
        if self.framed:
            frame = self.driver.ask("ExecuteScript", script=FRAME, args=[])
            self.driver.ask("SwitchToFrame", id=frame)

    def _patiently(self, act: Callable[[], object], what: str, seconds: float = processes.PATIENCE) -> object:
        """Do something until it gives something true; a page that is just changing refuses."""
        results: list[object] = []
        faults: list[DriverError] = []

        def tried() -> bool:
            try:
                results.append(act())
            except DriverError as error:
                faults.append(error)
                return False
            return bool(results[-1])

        try:
            processes.until(tried, what, seconds)
        except AssertionError:
            raise AssertionError(f"waited in vain for {what}; last fault: {faults[-1:]}") from None
        return results[-1]
