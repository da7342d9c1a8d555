"""The nodes of a lab, and how one more joins them."""

from __future__ import annotations

import json

import pytest

from lab.command import LabError
from lab.inventory import HOSTS, Host, Inventory


def test_joined_has_site_and_roles_of_its_model_and_the_next_address() -> None:
    inventory = Inventory().joined("canopus2", "canopus")
    model = Inventory().host("canopus")
    assert inventory.hosts == (*HOSTS, Host("canopus2", model.site, model.roles))
    assert inventory.address("10.221.7", "canopus2") == "10.221.7.18"


def test_joined_moves_nobody() -> None:
    grown = Inventory().joined("wb-web3", "wb-web1").joined("canopus2", "canopus")
    assert [grown.number(host.name) for host in HOSTS] == list(range(len(HOSTS)))
    assert grown.number("canopus2") == len(HOSTS) + 1


def test_joined_again_changes_nothing() -> None:
    grown = Inventory().joined("canopus2", "canopus")
    assert grown.joined("canopus2", "canopus") is grown


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("wb-web1", "canopus"),
        ("canopus2", "nobody"),
        ("salt2", "salt"),
        ("wb-dev2", "wb-dev"),
        ("fe2", "fe"),
        ("Canopus", "canopus"),
        ("../x", "canopus"),
        ("", "canopus"),
    ],
)
def test_joined_refuses_a_node_that_can_not_be(name: str, like: str) -> None:
    with pytest.raises(LabError):
        Inventory().joined(name, like)


def test_joined_refuses_more_nodes_than_addresses() -> None:
    full = Inventory()
    for number in range(245 - len(HOSTS)):
        full = full.joined(f"web-{number}", "wb-web1")
    assert full.address("10.221.7", full.names[-1]) == "10.221.7.254"
    with pytest.raises(LabError, match="no address"):
        full.joined("one-more", "wb-web1")


def test_rows_keep_the_inventory() -> None:
    grown = Inventory().joined("canopus2", "canopus")
    assert Inventory.of(json.loads(json.dumps(grown.rows))) == grown


def test_host_names_those_that_there_are() -> None:
    with pytest.raises(LabError, match="'nobody'; there are salt, wb-dev"):
        Inventory().host("nobody")
