"""wbcore.errors: one line that says what, where and what to do next."""

import pytest
from wbcore import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ReleaseError)
]


def test_str_with_a_node_names_it_first():
    error = errors.StepFailed("the disk is full", "purge a build", node="wb-web1")

    assert str(error) == "wb-web1: the disk is full; purge a build"


def test_str_without_a_node_is_what_and_todo():
    assert str(errors.BadRequest("no such build", "stage it")) == "no such build; stage it"


def test_str_of_an_error_that_was_extended_later_tells_the_extension():
    error = errors.StepFailed("it failed", "look at it")
    error.what += " (and so did the way back)"

    assert str(error) == "it failed (and so did the way back); look at it"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_is_caught_as_a_release_error(kind):
    with pytest.raises(errors.ReleaseError, match="what; todo"):
        raise kind("what", "todo")
