"""The pages for people: every link leads somewhere, and no sentence has to be read twice."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    CHECKOUT / "lab/README.md",
    *sorted((CHECKOUT / "docs").glob("*.md")),
]
MOST_WORDS = 30


def text_of(page: Path) -> str:
    """A page without its blocks of commands and their output."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"^    .*$", "", text, flags=re.M)


def anchors(page: Path) -> set[str]:
    """What a link to a heading of a page ends in, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


def sentences(page: Path) -> list[str]:
    """The sentences of a page; an item of a list, or a cell of a table, ends one."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text_of(page))
    parts = re.split(r"\n\s*\n|\n *(?=[-|#]|\d+\. )| \| |(?<=[.?!:;])\s+", text)
    return [" ".join(part.split()) for part in parts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text_of(page)):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_sentence_is_too_long(page):
    long = [one for one in sentences(page) if len(re.findall(r"\S*\w\S*", one)) > MOST_WORDS]

    assert long == []


def test_every_page_can_be_reached_from_the_first():
    linked = set(re.findall(r"\]\(([^)#\s]+)", text_of(CHECKOUT / "README.md")))

    assert {f"docs/{page.name}" for page in (CHECKOUT / "docs").glob("*.md")} <= linked
