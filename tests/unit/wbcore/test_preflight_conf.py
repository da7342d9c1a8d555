import pytest
from wbcore.errors import BadRequest
from wbcore.preflight_conf import preflight_conf
from wbcore.settings import Webapp

DATABASES = {"c_elegans": "c_elegans_WS221", "clustal": "clustal_WS220"}


def test_the_default_asks_acedb_on_its_spare_port():
    text = preflight_conf(Webapp().preflight_conf, 2006, DATABASES)
    assert "<acedb>\n        host = localhost\n        port = 2006\n" in text


def test_databases_become_their_new_directories():
    template = "a = {mysql:c_elegans}\nb = {mysql:clustal} {acedb_port}\n"
    assert preflight_conf(template, 7, DATABASES) == "a = c_elegans_WS221\nb = clustal_WS220 7\n"


def test_other_braces_are_the_webapps():
    template = "aggregator = processed_transcript{coding_exon,5_UTR,3_UTR/CDS} {acedb} { } {}\n"
    assert preflight_conf(template, 7, DATABASES) == template


def test_a_database_that_the_release_lacks_is_named():
    with pytest.raises(BadRequest, match=r"\{mysql:c_elegnas\}.*use one of c_elegans, clustal"):
        preflight_conf("x = {mysql:c_elegnas}\n", 7, DATABASES)
