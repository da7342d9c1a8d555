"""wbcore.requests: the only way in for words from outside."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.errors import BadRequest
from wbcore.names import Build
from wbcore.requests import Request

KINDS = ["release", "push", "golive", "rollback", "purge", "announce", "adopt"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.just("WS221"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(["build", "minor", "local", "repair"]) | st.text() | st.integers()


@given(st.sampled_from(KINDS), st.dictionaries(KEYS, VALUES, max_size=3))
def test_parse_lets_nothing_but_a_build_and_flags_through(kind, pillar):
    try:
        request = Request.parse(kind, pillar)
    except BadRequest as error:
        assert len(str(error)) < 300
        return
    assert request.kind == kind
    assert request.build is None or re.fullmatch(r"WS[1-9][0-9]{0,5}", str(request.build))
    assert request.minor is pillar.get("minor", False)
    assert request.local is pillar.get("local", False)
    assert request.repair is pillar.get("repair", False)
    assert (request.build is None) == (kind in ("rollback", "adopt"))


@given(st.sampled_from(KINDS), st.integers(1, 999_999), st.booleans(), st.booleans(), st.booleans())
def test_pillar_asks_for_the_same_request_again(kind, number, minor, local, repair):
    asked = {
        **({"build": f"WS{number}"} if kind not in ("rollback", "adopt") else {}),
        **({"minor": True} if minor and kind == "release" else {}),
        **({"local": True} if local and kind == "purge" else {}),
        **({"repair": True} if repair and kind == "adopt" else {}),
    }
    request = Request.parse(kind, asked)

    assert request.pillar == asked
    assert Request.parse(kind, request.pillar) == request


@pytest.mark.parametrize(
    ("kind", "pillar", "says"),
    [
        ("release", {}, "needs a build; add pillar="),
        ("release", {"build": "WS221", "local": True}, "does not know the pillar key 'local'"),
        ("push", {"build": "WS221", "minor": True}, "the keys it takes: build"),
        ("rollback", {"build": "WS221"}, "the keys it takes: none"),
        ("adopt", {"build": "WS221"}, "the keys it takes: repair"),
        ("adopt", {"repair": "yes"}, "repair is 'yes'; write repair: True"),
        ("release", {"build": "WS221", "minor": "yes"}, "minor is 'yes'; write minor: True"),
        ("release", {"build": "WS221", "minor": 1}, "minor is '1'"),
        ("purge", {"build": "221"}, "'221' is not the name of a build"),
        ("purge", {"build": None}, "'None' is not the name of a build"),
    ],
)
def test_parse_says_what_is_wrong_and_what_to_write(kind, pillar, says):
    with pytest.raises(BadRequest, match=re.escape(says)):
        Request.parse(kind, pillar)


def test_equal_requests_are_equal_and_others_are_not():
    asked = {"build": "WS221"}

    assert Request.parse("push", asked) == Request.parse("push", dict(asked))
    assert Request.parse("push", asked) != Request.parse("golive", asked)
    assert Request("release", Build(221)) != Request("release", Build(221), minor=True)


def test_str_is_what_people_type():
    assert str(Request.parse("rollback", {})) == "orch.rollback"
    minor = Request.parse("release", {"build": "WS221", "minor": True})
    assert str(minor) == "orch.release {build: WS221, minor: True}"


def test_what_needs_a_build_says_so_of_a_request_without_one():
    assert Request.parse("push", {"build": "WS221"}).named == Build(221)
    with pytest.raises(BadRequest, match=r"orch\.rollback is about no build"):
        Request.parse("rollback", {}).named  # noqa: B018
