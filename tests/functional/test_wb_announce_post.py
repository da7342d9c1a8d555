"""wb_announce.post with a real WordPress: one post a build."""

from __future__ import annotations

import json
import urllib.request

import pytest
from announcing import Blog
from salt.exceptions import CommandExecutionError
from wbcore.names import Build

RELEASE = "WS221-2010.12.24-0.02-1350"


@pytest.fixture(scope="module")
def blog(tmp_path_factory):
    blog = Blog(tmp_path_factory.mktemp("blog"))
    try:
        blog.prepare()
        blog.start()
        yield blog
    finally:
        blog.close()


@pytest.fixture
def pillar(blog):
    return {"blog": blog.settings()}


@pytest.fixture(autouse=True)
def notes(layout):
    for number in (221, 222, 223):
        notes = layout.notes(Build(number))
        notes.parent.mkdir(parents=True)
        notes.write_text("20,000 genes & more\n")


def content(blog, made):
    """What readers of the blog get of a post."""
    address = f"{blog.settings()['url']}/index.php?rest_route=/wp/v2/posts/{made['id']}"
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)["content"]["rendered"]


def test_post_is_made_once(modules):
    made = modules["wb_announce.post"](RELEASE)
    assert not made["already"] and made["link"].startswith("http://")
    again = modules["wb_announce.post"]("WS221-2011.01.07-0.03-1401")
    assert again == {**made, "already": True}


def test_post_keeps_what_is_not_ascii_in_latin_1_notes(modules, layout, blog):
    layout.notes(Build(224)).parent.mkdir(parents=True)
    layout.notes(Build(224)).write_bytes("Thanks to Café Élan\n".encode("latin-1"))
    made = modules["wb_announce.post"]("WS224-2011.04.01-0.02-1350")
    assert "Thanks to Café Élan" in content(blog, made)


def test_post_goes_when_the_blog_is_up_again(modules, blog):
    release = "WS222-2011.01.31-0.02-1350"
    blog.stop()
    with pytest.raises(CommandExecutionError, match=f":{blog.port} does not answer: .*refused"):
        modules["wb_announce.post"](release)
    blog.start()
    assert not modules["wb_announce.post"](release)["already"]


def test_post_with_a_wrong_password_says_what_the_blog_said(load, blog):
    wrong = load("node", {"blog": {**blog.settings(), "password": "wrong"}})
    with pytest.raises(CommandExecutionError, match=r"answers 40[01]: .+; fix its settings"):
        wrong["wb_announce.post"](RELEASE)


def test_post_without_settings(load):
    with pytest.raises(CommandExecutionError, match="names no blog"):
        load("node", {})["wb_announce.post"](RELEASE)


def test_post_tells_what_is_new_since_the_build_before(modules, counted, blog):
    counted("WS222", genes=11_269)
    counted("WS223", genes=11_304)
    made = modules["wb_announce.post"]("WS223-2011.02.28-0.02-1350", before="WS222")
    told = content(blog, made)
    assert told.index("What is new since WS222") < told.index("20,000 genes")
    assert "11,304" in told
