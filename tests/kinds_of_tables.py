"""Tables of every kind that a build may have, for servers of tests."""

from __future__ import annotations

ROWS = "SELECT seq, CONCAT('gene ', seq) FROM seq_1_to_5000"
COLUMNS = "(n INT NOT NULL, t VARCHAR(20) NOT NULL"
PLAIN = "plain packed parts aria old_aria aria_parts comma merged counted seen live"
TABLES = (*PLAIN.split(), "odd-name d.x", "tête``s")


def statements(name: str, directory: str, other: str) -> str:
    """What makes :data:`TABLES` in a directory such as ``c_elegans_WS221``, live as ``name``, and
    the table ``more`` in another one."""
    return f"""SET default_storage_engine = MyISAM; USE {directory};
CREATE TABLE plain {COLUMNS}, KEY (n)); INSERT INTO plain {ROWS};
CREATE TABLE packed LIKE plain; INSERT INTO packed {ROWS};
CREATE TABLE {other}.more LIKE plain; INSERT INTO {other}.more {ROWS};
CREATE TABLE parts {COLUMNS}, KEY (n)) PARTITION BY HASH (n) PARTITIONS 3;
INSERT INTO parts {ROWS};
CREATE TABLE `odd-name d.x` LIKE plain; INSERT INTO `odd-name d.x` {ROWS};
CREATE TABLE `tête``s` LIKE plain; INSERT INTO `tête``s` {ROWS};
CREATE TABLE counted LIKE plain;
CREATE TRIGGER counting BEFORE INSERT ON counted FOR EACH ROW SET NEW.n = NEW.n + 1;
INSERT INTO counted {ROWS};
CREATE TABLE aria {COLUMNS}, KEY (n)) ENGINE=Aria; INSERT INTO aria {ROWS};
DELETE FROM aria WHERE n % 3 = 0;
CREATE TABLE old_aria {COLUMNS}, KEY (n)) ENGINE=Aria TRANSACTIONAL=0 ROW_FORMAT=DYNAMIC;
INSERT INTO old_aria {ROWS};
CREATE TABLE aria_parts {COLUMNS}, KEY (n)) ENGINE=Aria PARTITION BY HASH (n) PARTITIONS 2;
INSERT INTO aria_parts {ROWS};
CREATE TABLE comma {COLUMNS}) ENGINE=CSV; INSERT INTO comma {ROWS};
CREATE TABLE merged {COLUMNS}, KEY (n)) ENGINE=MERGE UNION=(plain, packed, {other}.more);
CREATE VIEW seen AS SELECT p.n, m.t, EXTRACT(DAY FROM FROM_DAYS(p.n)) AS d FROM plain AS p
  JOIN {other}.more AS m ON p.n = m.n WHERE m.t <> "from `mysql`.`user`";
CREATE SQL SECURITY INVOKER VIEW live AS SELECT n, t FROM {name}.plain WHERE n < 100;
CREATE SEQUENCE numbers;
"""
