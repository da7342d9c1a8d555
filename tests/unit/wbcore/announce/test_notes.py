"""Release notes in whatever encoding arrive as they were written."""

import pytest
from wbcore.announce.notes import decoded


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"plain\n", "plain\n"),
        ("Café\n".encode(), "Café\n"),
        ("Café\r\nÉlan".encode("latin-1"), "Café\r\nÉlan"),
        (
            "\u201cCafé\u201d \u2013 5 \u20ac\n".encode("cp1252"),
            "\u201cCafé\u201d \u2013 5 \u20ac\n",
        ),
        (b"\xef\xbb\xbfCaf\xc3\xa9\n", "Café\n"),
        (b"Caf\xc3\xa9\nCaf\xe9\n", "Café\nCafé\n"),
        (b"odd \x81 byte\n", "odd \x81 byte\n"),
    ],
)
def test_decoded(data, text):
    assert decoded(data) == text
