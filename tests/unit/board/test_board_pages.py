"""Pages: whatever comes from outside is text, and each page can be used without a mouse."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rehearsal import scratch
from wbcore.drift import Report
from wbcore.model.landing import Landing
from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.names import Build, Release
from wbmaster.ledger import Ledger
from wbmaster.lock import RunLock

from board import actions
from board.ledger import ReadLedger
from board.live import Live
from board.pages import Pages
from board.sessions import Session

BOARD = Path(__file__).resolve().parents[3] / "board"
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
FINDING = {"kind": HOSTILE, "name": HOSTILE, "was": 2, "now": None, "allowed": HOSTILE}
VOID = {"meta", "link", "input"}
# Browsers end a paragraph where one of these begins.
BLOCKS = {"div", "dl", "form", "h1", "h2", "ol", "p", "section", "table", "ul"}


class Reader(HTMLParser):
    """The elements of a page; a ValueError for one that is not closed, or not where it belongs."""

    def __init__(self, page):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(page)
        if self._open:
            raise ValueError(self._open)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in BLOCKS and "p" in self._open:
            raise ValueError(f"{tag} in p")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if self._open.pop() != tag:
            raise ValueError(tag)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


class Nowhere:
    """A bus that is not there."""


@pytest.fixture
def live(tmp_path):
    return Live(Nowhere(), str(tmp_path))


@pytest.fixture(scope="module")
def hostile():
    """A ledger whose every text is hostile, in memory."""
    with scratch() as root:
        ledger = Ledger(root / "ledger.sqlite")
        for number in (1, 2):
            _run(ledger, number)
        for build in (None, Build.parse("WS221")):
            ledger.judge("hold", build, HOSTILE, HOSTILE)
        ledger.record_landing(
            Landing(Build.parse("WS221"), cause=HOSTILE, seen=1, state="waiting", answer=HOSTILE)
        )
        report = {"kind": "drift", "changes": [{"id": "x", "what": HOSTILE}], "more": 1}
        ledger.record_drift(Report.parse({"node": "wb-web1", **report}, "wb-web1"))
        yield ledger.path


@pytest.fixture
def ledger(hostile, tmp_path):
    return Ledger(Path(shutil.copy(hostile, tmp_path / "ledger.sqlite")))


@pytest.fixture
def pages(ledger, tmp_path, live):
    return Pages(ReadLedger(ledger.path), RunLock(tmp_path / "run.lock"), live)


def _run(ledger, number):
    name, outcome = f"run-{number}", {1: "done", 2: "failed"}[number]
    begin(ledger, name)
    for step in ("check_contents", "push_support"):
        ledger.begin_step(name, step)
        figures = {"seconds": 1, HOSTILE: {HOSTILE: HOSTILE}, "finished": {HOSTILE: 1.0}}
        figures |= {"findings": [FINDING], "entered": {HOSTILE: 5}, "unpacked": {"local": 9}}
        ledger.end_step(name, step, "done", figures, HOSTILE)
    ledger.end_run(name, outcome, HOSTILE)


def begin(ledger, run):
    given = {"id": run, "kind": "release", "request": json.dumps({"build": "WS221"})}
    given |= {"build": "WS221", "cause": HOSTILE, "who": HOSTILE, "reason": HOSTILE, "pid": 1}
    ledger.begin_run({**given, "release": HOSTILE, "forecast": json.dumps({"minutes": 1})})


def person(operator=True):
    return Session(HOSTILE, "token", operator, 9e9, 0.0)


def drawn(pages, name, operator=True):
    """A page as a person gets it."""
    plan = {"would": [HOSTILE], "forecast": {"minutes": 1, "bytes": {HOSTILE: 5}}}
    node = {"site": HOSTILE, "state": HOSTILE}
    node |= {"release": HOSTILE, "acedb": HOSTILE, "mysql": {HOSTILE: HOSTILE}}
    status = {"ledger": HOSTILE, "nodes": {HOSTILE: node}, "proxy": {"pools": {HOSTILE: [HOSTILE]}}}
    confirmed = {"action": actions.action("release"), "build": HOSTILE, "error": None}
    facts = {
        "now": lambda: {"at_work": pages.run_at_work(), **pages.now()},
        "runs": lambda: pages.history("", "", ""),
        "run": lambda: pages.run("run-2"),
        "releases": pages.releases,
        "landings": pages.landings,
        "confirm": lambda: {**confirmed, "plan": plan},
        "done": lambda: {**confirmed, "done": HOSTILE},
        "login": lambda: {"error": HOSTILE, "ways": [HOSTILE, "pam"], "to": HOSTILE},
        "error": lambda: {"status": HOSTILE, "message": HOSTILE},
        "all_nodes": lambda: {"nodes": pages.draw("nodes", status=status)},
    }[name]()
    return pages.draw(name, me=person(operator), page=name, seal="sealed", **facts)


PAGES = [
    "now",
    "runs",
    "run",
    "releases",
    "landings",
    "confirm",
    "done",
    "login",
    "error",
    "all_nodes",
]


@pytest.mark.parametrize("name", PAGES)
def test_what_comes_from_outside_is_shown_as_text(pages, live, name):
    moving = {"node": HOSTILE, "dataset": HOSTILE, "done": 1, "total": 2, "rate": 1}
    live.heard("wormbase/release/WS221/seal/progress", moving)

    page = Reader(drawn(pages, name))

    assert page.all("img") == []
    assert [one for one in page.all("script") if one != script()] == []
    for _, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "style"]
        led = {attributes[key] for key in ("href", "src", "action") if key in attributes}
        assert all(one.startswith(("/", "#")) for one in led - {HOSTILE})


def script():
    return {"src": "/static/board.js", "defer": None}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_aloud_and_used_by_keyboard(pages, name):
    page = Reader(drawn(pages, name))

    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))
    assert all(one.get("aria-label") for one in page.all("svg") + page.all("progress"))
    fields = [one for one in page.all("input") if one.get("type") != "hidden"]
    assert {one["id"] for one in fields} <= {one.get("for") for one in page.all("label")}
    assert all("scope" in one for one in page.all("th"))


@pytest.mark.parametrize("name", ["now", "landings"])
def test_a_viewer_is_shown_no_button_of_an_operator(pages, name):
    def offered(operator):
        page = drawn(pages, name, operator)
        shown = page if operator else re.sub(r'(?s)<div class="buttons may">.*?</div>', "", page)
        return verbs(shown)

    assert offered(operator=True)
    assert offered(operator=False) == []


def verbs(page):
    return re.findall(r'name="verb" value="(\w+)"', page)


def test_what_is_held_has_the_button_that_lifts_it(pages, ledger):
    def general(name):
        return {verb for verb in verbs(drawn(pages, name)) if "hold" in verb}

    assert general("now") == {"unhold"}
    ledger.lift("hold", None)
    assert general("now") == {"hold"}


def test_a_build_older_than_the_live_one_can_not_be_released(pages, ledger):
    assert {"release", "push", "accept"} <= set(verbs(drawn(pages, "landings")))
    record = ReleaseRecord(Release.parse("WS222-2010.12.24-0.02-1"), "", "", {}, [])
    ledger.adopt(record, "run-1")
    assert not {"release", "push", "accept"} & set(verbs(drawn(pages, "landings")))
    assert {"rollback", "bad"} <= set(verbs(drawn(pages, "landings")))


def test_a_run_that_failed_says_so_and_has_the_button_for_the_way_out(pages):
    page = pages.run_at_work()

    assert "Last run" in page
    assert '<input type="hidden" name="verb" value="release">' in page
    assert "The master does not answer" in page


def test_steps_to_come_are_those_of_the_last_run_with_their_seconds(pages, ledger):
    begin(ledger, "run-3")
    ledger.begin_step("run-3", "check_contents")

    page = pages.run_at_work()

    assert page.index("check contents") < page.index("push support")
    assert page.count("forecast 1.0 s") == 1
    assert "Its process has ended" in page


def test_runs_are_found_by_build_kind_and_outcome(pages):
    assert drawn(pages, "runs").count("/runs?name=") == 2
    assert len(pages.history("WS221", "release", "failed")["runs"]) == 1
    assert pages.history("WS222", "", "")["runs"] == []


def test_nothing_of_the_board_asks_another_host():
    files = [file for file in BOARD.rglob("*") if file.suffix in (".html", ".css", ".js")]

    assert len(files) > 10
    for file in files:
        assert not re.search(r"https?:|//\w|@import|url\(", file.read_text().replace("// ", ""))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_the_paper(theme):
    css = (BOARD / "static/board.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[theme == "dark"]
    colours = dict(re.findall(r"--(\w+): (#\w+)", block))

    for name in set(colours) - {"paper", "line", "soft"}:
        for ground in ("paper", "soft"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def contrast(one, other):
    brighter, darker = sorted(map(luminance, (one, other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour):
    """As WCAG 2 has it."""
    digits = colour[1:] if len(colour) == 7 else "".join(one * 2 for one in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_what_the_gate_says_stands_on_the_page_once(pages, ledger):
    build, said = Build.parse("WS223"), "WS223 is further from the live WS221 than is allowed"
    error = f"{said}; if it is right as it is, accept it"
    ledger.begin_run({"id": "run-3", "kind": "release", "request": "{}", "build": "WS223",
                      "cause": "landed", "pid": 1})  # fmt: skip
    ledger.begin_step("run-3", "check_contents")
    ledger.end_step("run-3", "check_contents", "failed", {"findings": [FINDING]}, error)
    ledger.end_run("run-3", "failed", error)
    ledger.judge("hold", build, said, "the gate on contents")
    ledger.record_landing(Landing(build, state="answered", answer=f"the release failed: {error}"))
    assert drawn(pages, "landings").count(said) == 1

    # Without it in the answer nobody would know.
    ledger.record_landing(Landing(build, state="waiting"))
    assert drawn(pages, "landings").count(said) == 2
