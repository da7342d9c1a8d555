"""Reading how much is in a file; the real files are in tests/functional/test_wb_contents.py."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.build import counts

SAID = """
// Database directory: /tmp/x
acedb> These are the known classes and the number of objects in each class
                            Session 2
                              Class 70
                           Sequence 7
                               Gene 45045
// 0 Active Objects
acedb>
// A bientot
"""


def index(version: int, title: bytes, number: int, letters: int) -> bytes:
    """The beginning of the index of a BLAST database."""

    def text(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    parts = [struct.pack(">II", version, 0)]
    parts += [struct.pack(">I", 0)] if version == 5 else []
    parts += [text(title), *([text(b"genome.ndb")] if version == 5 else [])]
    parts += [text(b"Nov 24, 2026  11:24 PM\0\0"), struct.pack(">I", number)]
    return b"".join([*parts, struct.pack("<Q", letters), struct.pack(">I", 99), b"more"])


@given(st.binary(min_size=24, max_size=24), st.integers(0, 2**64 - 1), st.binary())
def test_rows_are_those_of_the_header(between, number, rest):
    head = b"\xfe\xfe\x07\x01" + between + number.to_bytes(8, "big") + rest
    assert counts.rows(head) == number


@pytest.mark.parametrize("head", [b"", b"\xfe\xfe\x07\x01", b"\0" * 99])
def test_rows_of_something_else(head):
    with pytest.raises(ValueError, match="not the index of a MyISAM table"):
        counts.rows(head)


@given(st.sampled_from([4, 5]), st.binary(), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_sequences_and_letters_of_both_formats(version, title, number, letters):
    assert counts.sequences(index(version, title, number, letters)) == (number, letters)


@given(st.binary())
def test_sequences_of_anything_are_numbers_or_an_error(head):
    try:
        number, letters = counts.sequences(head)
    except ValueError as error:
        assert "BLAST" in str(error)
    else:
        assert number >= 0 and letters >= 0


def test_classes_are_those_of_the_build_and_not_of_acedb_itself():
    assert counts.classes(SAID) == {"Sequence": 7, "Gene": 45045}


@pytest.mark.parametrize("said", ["", "// FATAL ERROR - Diskblockread", "Gene 3"])
def test_classes_that_were_not_told(said):
    with pytest.raises(ValueError, match="did not list"):
        counts.classes(said)
