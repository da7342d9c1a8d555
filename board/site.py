"""Addresses: who may see and do what, and which page answers."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import cherrypy
from wbcore.errors import BadRequest, ReleaseError

from . import actions
from .live import PAUSE_SECONDS, Live
from .master import Master, Refused
from .pages import Pages
from .recent import Answers, Recent
from .sessions import Session, Sessions

# A link from another site opens the login page without the cookie of the session, which has to
# live on: so the form of that page has a cookie of its own.
COOKIE, LOGIN_COOKIE = "__Host-board", "__Host-login"
# A page that follows connects again after so long; a proxy between would end it anyway.
_FOLLOWED_SECONDS = 600


class Site:
    """The pages of the board."""

    def __init__(
        self, pages: Pages, master: Master, sessions: Sessions, live: Live, streams: int
    ) -> None:
        self._pages, self._master, self._sessions, self._live = pages, master, sessions, live
        self._streams = threading.BoundedSemaphore(streams)
        # One drawing for all who look at the same time.
        self._drawn = Recent(pages.run_at_work, PAUSE_SECONDS / 2)
        self._status = Answers(lambda token: master.call(token, "wb_release.status"))

    def settings(self) -> dict[str, Any]:
        """What CherryPy needs to know of these pages."""
        return {
            "/": {
                "tools.once.on": True,
                "tools.log_tracebacks.on": False,
                "tools.encode.on": True,
                "tools.encode.encoding": "utf-8",
                "error_page.default": self._error,
                "request.error_response": self._broken,
            },
            "/live": {"response.stream": True, "tools.encode.on": False},
            "/static": {
                "tools.staticdir.on": True,
                "tools.staticdir.dir": str(Path(__file__).parent / "static"),
            },
        }

    # Looking

    @cherrypy.expose
    def index(self) -> str:
        """*Now*."""
        me = self._me()
        return self._page("now", me, at_work=self._pages.run_at_work(), **self._pages.now())

    @cherrypy.expose
    def nodes(self, part: str = "") -> str:
        """The nodes as they answer now, or ten seconds ago: a question to all of them. ``part`` is
        for a page that fills it in."""
        me = self._me()
        try:
            drawn = self._pages.draw("nodes", status=self._status.of(me.token))
        except ReleaseError as error:
            drawn = self._pages.draw("unknown", error=error)
        return drawn if part else self._page("all_nodes", me, nodes=drawn)

    @cherrypy.expose
    def runs(self, name: str = "", build: str = "", kind: str = "", outcome: str = "") -> str:
        """The history, or one run of it."""
        me = self._me()
        if name:
            return self._page("run", me, **self._pages.run(name))
        return self._page("runs", me, **self._pages.history(build, kind, outcome))

    @cherrypy.expose
    def releases(self) -> str:
        """Curves over releases."""
        return self._page("releases", self._me(), **self._pages.releases())

    @cherrypy.expose
    def landings(self) -> str:
        """What landed, and why it waits."""
        return self._page("landings", self._me(), **self._pages.landings())

    @cherrypy.expose
    def live(self) -> Iterator[bytes]:
        """The run at work, as it goes: server-sent events."""
        self._me(touch=False)
        if not self._streams.acquire(blocking=False):
            raise cherrypy.HTTPError(503, "Too many pages follow the run at this moment.")
        cherrypy.response.headers["Content-Type"] = "text/event-stream; charset=utf-8"
        return self._follow(self._key())

    def _follow(self, key: str) -> Iterator[bytes]:
        try:
            before = ""
            for _ in self._live.changes(_FOLLOWED_SECONDS):
                if self._sessions.find(key, touch=False) is None:
                    yield b"event: ended\ndata: \n\n"
                    return
                text = self._drawn.value()
                # A comment keeps the connection, and finds one that nobody holds any more.
                yield b": \n\n" if text == before else _event(text)
                before = text
        finally:
            self._streams.release()

    # Doing

    @cherrypy.expose
    def act(self, verb: str, build: str = "", **form: str) -> str:
        """Ask for confirmation (GET), showing the plan first; do it (POST)."""
        me, action = self._me(), actions.action(verb)
        if cherrypy.request.method == "POST":
            self._from_us(form)
            arguments = action.arguments(build, form.get("reason", ""))
            done = self._master.call(me.token, action.function, **arguments)
            return self._page("done", me, action=action, build=build, done=done)
        planned, error = None, None
        given = action.planned(build)
        if action.starts:
            try:
                planned = self._master.call(me.token, "wb_release.plan", **given)
            except ReleaseError as refused:
                error = refused
        return self._page("confirm", me, action=action, build=build, plan=planned, error=error)

    # Coming and going

    @cherrypy.expose
    def login(self, way: str = "", name: str = "", password: str = "", **form: str) -> str:
        """Log in."""
        if cherrypy.request.method != "POST":
            return self._login_page("")
        self._from_us(form, LOGIN_COOKIE)
        address = cherrypy.request.remote.ip
        if not self._sessions.may_guess(address):
            cherrypy.response.status = 429
            return self._login_page("too many wrong passwords; wait a minute")
        try:
            key = self._begin(way, name, password)
        except Refused as error:
            self._sessions.guessed_wrong(address)
            cherrypy.response.status = 403
            return self._login_page(str(error))
        except ReleaseError as error:
            cherrypy.response.status = 503
            return self._login_page(str(error))
        self._give(COOKIE, key)
        raise cherrypy.HTTPRedirect(_local(form.get("to", "/")), 303)

    def _begin(self, way: str, name: str, password: str) -> str:
        if way not in self._master.ways:
            raise Refused("there is no such way to log in", "choose one of the list")
        token = self._master.log_in(way, name, password)
        if not self._master.may(token, actions.VIEW):
            raise Refused(
                f"{name} may not see the board",
                f"a rule in external_auth on the master has to allow {actions.VIEW}",
            )
        operator = self._master.may(token, actions.START)
        return self._sessions.begin(token["name"], token["token"], operator, token["expire"])

    @cherrypy.expose
    def logout(self, **form: str) -> str:
        """Log out."""
        if cherrypy.request.method == "POST":
            self._from_us(form)
            self._sessions.end(self._key())
        raise cherrypy.HTTPRedirect("/login", 303)

    # What they share

    def _key(self, name: str = COOKIE) -> str:
        cookie = cherrypy.request.cookie.get(name)
        return str(cookie.value) if cookie else ""

    def _me(self, touch: bool = True) -> Session:
        """Who asks; whoever is not logged in is sent to do so."""
        session = self._sessions.find(self._key(), touch)
        if session is None:
            if cherrypy.request.method == "POST" or cherrypy.request.path_info == "/live":
                raise cherrypy.HTTPError(401, "Your session has ended; log in again.")
            wanted = cherrypy.request.path_info
            raise cherrypy.HTTPRedirect(f"/login?to={quote(wanted)}", 303)
        return session

    def _from_us(self, form: dict[str, str], cookie: str = COOKIE) -> None:
        """Refuse a form that another site has a browser send."""
        headers = cherrypy.request.headers
        origin, fetched = headers.get("Origin"), headers.get("Sec-Fetch-Site", "same-origin")
        elsewhere = origin is not None and urlsplit(origin).netloc != headers.get("Host")
        sealed = self._sessions.is_sealed(self._key(cookie), form.get("seal", ""))
        if elsewhere or fetched not in ("same-origin", "none") or not sealed:
            raise cherrypy.HTTPError(403, "This form does not come from the board; load it again.")

    def _give(self, name: str, key: str) -> None:
        cookie = cherrypy.response.cookie
        cookie[name] = key
        cookie[name].update({"path": "/", "secure": True, "httponly": True, "samesite": "Strict"})

    def _login_page(self, error: str) -> str:
        key = self._key(LOGIN_COOKIE)
        if not key:
            key = self._sessions.new_key()
            self._give(LOGIN_COOKIE, key)
        wanted = _local(str(cherrypy.request.params.get("to", "/")))
        return self._pages.draw(
            "login",
            me=None,
            page="login",
            error=error,
            ways=self._master.ways,
            seal=self._sessions.seal(key),
            to=wanted,
        )

    def _page(self, template: str, me: Session, **facts: Any) -> str:
        seal = self._sessions.seal(self._key())
        return self._pages.draw(template, me=me, page=template, seal=seal, **facts)

    def _error(self, status: str, message: str, **_: Any) -> str:
        return self._pages.draw("error", me=None, page="error", status=status, message=message)

    def _broken(self) -> None:
        """One of our errors is a sentence; for any other the log has it."""
        error = sys.exc_info()[1]
        status, message = 500, "The board failed; its log says why: journalctl -u wormbase-board."
        if isinstance(error, Refused):
            status, message = 403, str(error)
        elif isinstance(error, BadRequest):
            status, message = 400, str(error)
        elif isinstance(error, ReleaseError):
            status, message = 503, str(error)
        else:
            cherrypy.log("a page failed", traceback=True)
        cherrypy.response.status = status
        cherrypy.response.headers["Content-Type"] = "text/html; charset=utf-8"
        cherrypy.response.body = [self._error(str(status), message).encode()]


def _once() -> None:
    """Refuse a field that is given twice: the pages take words, not lists."""
    if not all(isinstance(value, str) for value in cherrypy.request.params.values()):
        raise cherrypy.HTTPError(400, "A field was given more than once.")


cherrypy.tools.once = cherrypy.Tool("before_handler", _once, priority=10)


def _local(wanted: str) -> str:
    """A path of the board, for where to go on; any other address is none."""
    return wanted if wanted.startswith("/") and wanted[1:2] not in ("/", "\\") else "/"


def _event(text: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: run\n{lines}\n".encode()
