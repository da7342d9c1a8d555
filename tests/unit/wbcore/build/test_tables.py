"""What the files of tables tell, as MariaDB 10.11 wrote them."""

import pytest
from wbcore.build import tables
from wbcore.build.tables import Definition, Table


def head(engine: int, partitions: int = 0) -> bytes:
    data = bytearray(64)
    data[:4], data[61] = bytes([0xFE, 1, 10, engine]), partitions
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "engine", "partitioned", "movable"),
    [
        (head(9), "MyISAM", False, True),
        (head(42), "Aria", False, True),
        (head(17), "CSV", False, True),
        (head(10), "MERGE", False, True),
        (head(12), "InnoDB", False, False),
        (head(20, 9), "MyISAM", True, True),
        (head(20, 42), "Aria", True, True),
        (head(20, 12), "InnoDB", True, False),
        (head(45), "the engine 45 of a plugin", False, False),
        (b"TYPE=VIEW\nquery=select 1", "view", False, True),
    ],
)
def test_definition(data, engine, partitioned, movable):
    definition = Definition.parse(data)
    assert definition == Definition(engine, partitioned)
    assert definition.movable == movable


@pytest.mark.parametrize("data", [b"", head(9)[:40], b"\0" * 64, b"TYPE=TRIGGERS\n"])
def test_definition_of_what_is_none(data):
    with pytest.raises(ValueError, match="not the definition"):
        Definition.parse(data)


def test_tables_are_those_with_a_definition_and_not_what_a_broken_alter_left():
    paths = ["b.frm", "a.frm", "a.MYD", "#sql-12_3.frm", "deep/c.frm", "d.MYD", "db.opt"]
    assert tables.tables("x_WS221", paths) == [Table("x_WS221", "a"), Table("x_WS221", "b")]


@pytest.mark.parametrize(
    ("stem", "name"),
    [("a", "a"), ("odd@002dname", "odd-name"), ("t@0060s", "t``s"), ("two@0020words", "two words")],
)
def test_a_table_is_named_as_in_a_statement(stem, name):
    assert str(Table("x_WS221", stem)) == f"`x_WS221`.`{name}`"


def test_missing_names_the_files_that_a_table_must_have():
    table, whole = Table("x_WS221", "t"), Definition("MyISAM")
    assert tables.missing(table, whole, dict.fromkeys(["t.MYI", "t.MYD"])) == []
    assert tables.missing(table, whole, dict.fromkeys(["t.MYI"])) == ["t.MYD"]
    parted = Definition("Aria", partitioned=True)
    paths = dict.fromkeys(["t#P#a.MAI", "t#P#a.MAD", "t#P#b.MAD"])
    assert tables.missing(table, parted, paths) == ["t#P#b.MAI"]
    assert tables.missing(table, parted, {}) == ["t#P#.MAI", "t#P#.MAD"]
    assert tables.missing(table, Definition("view"), {}) == []


@pytest.mark.parametrize(
    ("path", "stem"),
    [("t.MYD", "t"), ("t#P#a.MYI", "t"), ("t.frm", ""), ("t.CSV", ""), ("t.MAD", "t")],
)
def test_of_data(path, stem):
    assert tables.of_data(path) == stem


def test_merged_tables_by_their_databases():
    text = "near\n./y_WS221/far\n../z/out\n/else/q\n\n#INSERT_METHOD=LAST\n"
    assert list(tables.merged(Table("x_WS221", "m"), text)) == [
        Table("x_WS221", "near"),
        Table("y_WS221", "far"),
        Table("z", "out"),
        Table("/else", "q"),
    ]


QUERY = (
    "TYPE=VIEW\nquery=select `p`.`n` AS `n`,extract(year from `p`.`d`) AS `y` from"
    " ((`x_WS221`.`plain` `p` join `y`.`q` on(`p`.`n` = `q`.`n`)) left join `x_WS221`.`v`"
    " on(1)) where `p`.`t` = \\' from `quoted`.`t` \\' and `p`.`u` = \\'it\\'\\'s\\'\n"
    "md5=0\nsource=select * from `source`.`t`\n"
)


def test_asked_are_the_databases_of_a_view():
    # An alias can not be told from a database here; it is none that exists.
    assert tables.asked(QUERY) == {"x_WS221", "y", "p"}
    assert tables.asked("TYPE=VIEW\n") == set()
