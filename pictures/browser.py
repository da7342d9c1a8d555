"""The board in Chromium, as somebody who is logged in sees it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--ignore-certificate-errors",
)
_SIZE = (1100, 860)
_LOADS, _SECONDS = 4, 20


class Board:
    """A board that a browser is logged in to.

    address
        Such as ``https://10.0.0.10:8443``.
    """

    def __init__(self, browser: webdriver.Chrome, address: str) -> None:
        self._browser, self._address = browser, address

    def show(self, page: str, picture: Path, text: str) -> None:
        """Take the picture of a page, once it has a text. It is loaded anew now and then, and not
        often: each time the nodes are asked what they serve."""
        for _ in range(_LOADS):
            self._browser.get(self._address + page)
            until = time.monotonic() + _SECONDS
            while time.monotonic() < until:
                if text in self._browser.find_element(By.TAG_NAME, "main").text:
                    self._browser.save_screenshot(str(picture))
                    return
                time.sleep(0.2)
        raise SystemExit(f"{page} does not show {text!r}")


@contextmanager
def board(address: str, name: str, password: str) -> Iterator[Board]:
    """Log in, and out at the end."""
    options = webdriver.ChromeOptions()
    for option in _OPTIONS:
        options.add_argument(option)
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        browser.set_window_size(*_SIZE)
        browser.get(f"{address}/login")
        for field, text in (("name", name), ("password", password)):
            browser.find_element(By.ID, field).send_keys(text)
        browser.find_element(By.CSS_SELECTOR, "button.main").click()
        yield Board(browser, address)
    finally:
        browser.quit()
