"""wb_proxy with a real HAProxy and clients that ask without pause."""

import fcntl
import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from proxysite import NEW, OLD, Clients, ProxySite, answer, get, short_folder, wait_until
from salt.exceptions import CommandExecutionError
from wbcore.model import proxy_pools
from wbmaster.golive import maintenance_page

ALL = ["wb-web1", "wb-web2", "wb-mining"]


@pytest.fixture
def tmp_path():
    with short_folder() as folder:
        yield folder


@pytest.fixture
def site(tmp_path, load):
    site = ProxySite(tmp_path / "fe", load)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def serving(site):
    site.salt["wb_proxy.set_pool"]("a", ALL)
    return site


def test_an_empty_pool_answers_with_the_page(site):
    assert site.salt["wb_proxy.read"]() == {
        "live": "a",
        "pools": {"a": [], "b": []},
        "maintenance": None,
    }
    _, _, status, _, retry = get(site.port)
    assert (status, retry) == (503, "5")


def test_a_node_that_moved_is_not_counted_until_the_pool_has_its_new_address(serving, load):
    serving.pillar["nodes"]["wb-web1"]["address"] = "127.0.0.99"
    del serving.pillar["nodes"]["wb-mining"]
    moved = load(serving.root.name, serving.pillar)
    # Who left the pillar is in the pool still, and has to be taken out.
    assert moved["wb_proxy.read"]()["pools"]["a"] == ["wb-web2", "wb-mining"]
    moved["wb_proxy.set_pool"]("a", ["wb-web1"])
    assert moved["wb_proxy.read"]()["pools"]["a"] == ["wb-web1"]


def test_set_pool_drops_nothing(serving):
    with Clients(serving.port) as clients:
        for nodes in (["wb-web1"], ALL, ["wb-web2", "wb-mining"], ["wb-web1"], ["wb-web2"], ALL):
            serving.salt["wb_proxy.set_pool"]("a", nodes)
    assert clients.statuses == {200}
    assert serving.salt["wb_proxy.read"]()["pools"]["a"] == ALL


@pytest.mark.parametrize(
    ("function", "order"),
    [
        ("set_pool", {"pool": "a", "nodes": ["wb-web1"]}),
        ("change_over", {"pool": "b"}),
        ("maintain", {"release": OLD, "seconds": 5, "patience": 5}),
        ("open", {}),
    ],
)
def test_an_order_of_an_earlier_epoch_moves_nothing(serving, function, order):
    serving.salt["wb_proxy.set_pool"]("a", ALL, epoch=4)
    before = serving.salt["wb_proxy.read"]()
    with pytest.raises(CommandExecutionError, match="epoch 4 has begun; nothing was done"):
        serving.salt[f"wb_proxy.{function}"](**order, epoch=3)
    assert serving.salt["wb_proxy.read"]() == before

    serving.salt["wb_live.heed"](5)
    with pytest.raises(CommandExecutionError, match="epoch 5 has begun"):
        serving.salt[f"wb_proxy.{function}"](**order, epoch=4)
    assert serving.salt["wb_live.epoch"]() == 5


def test_set_pool_waits_for_requests_under_way(serving):
    serving.web["wb-web1"].delay = 1.0
    with Clients(serving.port) as clients:
        serving.salt["wb_proxy.set_pool"]("a", ["wb-web2", "wb-mining"])
        serving.web["wb-web1"].serves = answer(NEW)
    assert clients.statuses == {200}
    assert {release for _, _, _, release, _ in clients.answers} == {OLD}


def test_a_request_that_takes_long_is_not_cut_when_its_node_leaves(serving):
    serving.web["wb-web1"].delay = 9
    with Clients(serving.port, count=3) as clients:
        serving.salt["wb_proxy.set_pool"]("a", ["wb-web2", "wb-mining"])
    assert clients.statuses == {200}
    assert max(ended - begun for begun, ended, *_ in clients.answers) > 8.5


def test_a_node_with_a_long_query_gets_no_more_while_others_are_idle(serving):
    for node in ALL:
        serving.web[node].delay = 3
    with ThreadPoolExecutor(1) as clients:
        long = clients.submit(get, serving.port)
        wait_until(lambda: any(node.asked for node in serving.web.values()))
        busy = next(node for node in serving.web.values() if node.asked)
        for node in serving.web.values():
            node.delay = 0
        for _ in range(6):
            get(serving.port)
        assert busy.asked == 1 and not long.done()


def test_change_over_gives_no_old_answer_after_a_new_one(serving):
    serving.salt["wb_proxy.set_pool"]("a", ["wb-web1"])
    serving.web["wb-web2"].serves = answer(NEW)
    serving.salt["wb_proxy.set_pool"]("b", ["wb-web2"])
    with Clients(serving.port) as clients:
        assert serving.salt["wb_proxy.change_over"]("b") == {"old": "a", "new": "b"}
    assert clients.statuses == {200}
    assert clients.stale(OLD, NEW) == 0
    assert serving.salt["wb_proxy.read"]()["live"] == "b"


def test_watch_finds_nothing_where_nothing_fails(serving):
    with Clients(serving.port):
        seen = serving.salt["wb_proxy.watch"](seconds=2, percent=1)
    assert seen["bad"] is False
    assert seen["after"]["answers"] > 100 and seen["after"]["errors"] == 0


def test_watch_ends_as_soon_as_too_many_requests_fail(serving):
    with Clients(serving.port):
        pass
    serving.web["wb-web1"].status = 500
    with Clients(serving.port):
        began = time.monotonic()
        seen = serving.salt["wb_proxy.watch"](seconds=60, percent=1)
    assert seen["bad"] is True and time.monotonic() - began < 30
    assert seen["before"]["answers"] > seen["before"]["errors"]
    assert seen["after"]["errors"] >= 3


def test_watch_counts_on_when_haproxy_was_started_again(serving):
    with Clients(serving.port):
        pass
    with Clients(serving.port), ThreadPoolExecutor() as thread:
        seen = thread.submit(serving.salt["wb_proxy.watch"], seconds=3, percent=1)
        time.sleep(1)
        serving.kill_haproxy()
        serving.start_haproxy()
    assert seen.result()["after"]["answers"] > 0


def test_maintain_gives_the_page_alone_and_nothing_reaches_a_node(serving):
    with Clients(serving.port) as clients:
        began = time.monotonic()
        serving.salt["wb_proxy.maintain"](OLD, 20, 5)
        drained = time.monotonic()
        for node in serving.web.values():
            node.serves = answer(NEW)
        time.sleep(0.3)
        opened = time.monotonic()
        assert serving.salt["wb_proxy.open"]() is True
    assert drained - began < 2
    assert clients.statuses == {200, 503}
    assert {retry for _, _, status, _, retry in clients.answers if status == 503} == {"5"}
    inside = [a[2] for a in clients.answers if a[0] > drained and a[1] < opened]
    assert set(inside) == {503}
    assert clients.stale(OLD, NEW) == 0


def test_maintain_cuts_what_takes_too_long(serving):
    serving.web["wb-web1"].delay = 15
    with Clients(serving.port):
        result = serving.salt["wb_proxy.maintain"](OLD, 20, 5)
        serving.salt["wb_proxy.set_pool"]("a", ["wb-web2"])
        serving.salt["wb_proxy.open"]()
    assert result["cut"] >= 1
    assert result["seconds"] < 3


def test_maintain_refuses_what_is_no_release(serving):
    with pytest.raises(Exception, match="not the name of a release"):
        serving.salt["wb_proxy.maintain"]("../WS221", 5, 5)
    assert serving.salt["wb_proxy.read"]()["maintenance"] is None


def test_ask_works_during_maintenance_and_only_for_web_nodes(serving):
    serving.salt["wb_proxy.maintain"](OLD, 20, 5)
    for function, given in (("ask", ["/gene"]), ("reports", [])):
        answers = serving.salt[f"wb_proxy.{function}"](*given, ["wb-web1", "wb-web2"])
        assert {node: one["status"] for node, one in answers.items()} == dict.fromkeys(answers, 200)
        assert list(answers) == ["wb-web1", "wb-web2"]
        assert answers["wb-web1"]["body"] == answer(OLD)
        with pytest.raises(Exception, match="not a web node"):
            serving.salt[f"wb_proxy.{function}"](*given, ["wb-gb1"])


def test_what_a_node_serves_is_asked_of_its_report_and_pages_of_its_webapp(serving):
    node = serving.web["wb-web1"]
    for server in node.servers:
        if server.server_address[1] == serving.pillar["webapp"]["port"]:
            server.shutdown()
            server.server_close()
            node.servers.remove(server)
    assert serving.salt["wb_proxy.reports"](["wb-web1"])["wb-web1"]["status"] == 200
    assert serving.salt["wb_proxy.ask"]("/", ["wb-web1"])["wb-web1"]["status"] == 0


def test_ask_measures_pages_that_are_too_long_to_be_told(serving):
    serving.web["wb-web1"].serves = {"genes": ["WBGene00000898"] * 20_000}
    told = serving.salt["wb_proxy.ask"]("/genes", ["wb-web1"])["wb-web1"]
    measured = serving.salt["wb_proxy.ask"]("/genes", ["wb-web1"], measure=True)["wb-web1"]

    assert told["status"] == 0 and "longer than 65536 bytes" in told["body"]
    assert measured["status"] == 200 and "body" not in measured
    assert measured["numbers"]["fields"] == 1 and measured["numbers"]["bytes"] > 300_000


def wait_until_open(site, seconds=10):
    until = time.monotonic() + seconds
    while site.salt["wb_proxy.read"]()["maintenance"] and time.monotonic() < until:
        time.sleep(0.02)
    return site.salt["wb_proxy.read"]()


def test_the_lease_ends_by_itself_with_the_nodes_that_serve_what_was_live(serving):
    began = time.monotonic()
    serving.salt["wb_proxy.maintain"](OLD, 1, 1)
    serving.web["wb-web2"].serves = answer(NEW)
    serving.web["wb-mining"].serves = {**answer(OLD), "acedb": "WS221"}
    state = wait_until_open(serving)
    assert time.monotonic() - began < 4
    assert state["maintenance"] is None
    assert state["pools"]["a"] == ["wb-web1"]
    assert get(serving.port)[2] == 200


def test_the_page_of_a_run_that_died_is_down_within_five_seconds(serving):
    """Invariant 6, with one node that never answers and one that is for ever half switched."""
    began = time.monotonic()
    serving.salt["wb_proxy.maintain"](
        OLD, maintenance_page.LEASE_SECONDS, maintenance_page.PATIENCE_SECONDS
    )
    serving.web["wb-web1"].delay = 60
    serving.web["wb-web2"].serves = {**answer(NEW), "acedb": "WS220"}
    while get(serving.port)[2] == 503:
        time.sleep(0.02)
        assert time.monotonic() - began < 5
    assert wait_until_open(serving)["pools"]["a"] == ["wb-mining"]


def test_the_lease_ends_with_the_new_release_when_no_node_is_left_on_the_old(serving):
    serving.salt["wb_proxy.maintain"](OLD, 0.5, 1)
    for node in ("wb-web1", "wb-web2"):
        serving.web[node].serves = answer(NEW)
    serving.web["wb-mining"].stop()
    assert wait_until_open(serving)["pools"]["a"] == ["wb-web1", "wb-web2"]


def test_the_page_waits_for_a_node_that_still_switches(serving):
    serving.salt["wb_proxy.maintain"](OLD, 0.3, 20)
    serving.web["wb-web1"].serves = {**answer(NEW), "acedb": "WS220"}
    for node in ("wb-web2", "wb-mining"):
        serving.web[node].serves = answer(NEW)
    time.sleep(1.2)
    assert serving.salt["wb_proxy.read"]()["maintenance"]
    serving.web["wb-web1"].serves = answer(NEW)
    state = wait_until_open(serving)
    assert (state["maintenance"], state["pools"]["a"]) == (None, ALL)


def test_the_page_stays_while_no_node_is_whole(serving):
    serving.salt["wb_proxy.maintain"](OLD, 0.3, 0.3)
    for node in serving.web.values():
        node.serves = {**answer(OLD), "acedb": "WS221"}
    time.sleep(1.2)
    assert serving.salt["wb_proxy.read"]()["maintenance"]
    serving.web["wb-web2"].serves = answer(OLD)
    assert wait_until_open(serving)["pools"]["a"] == ["wb-web2"]


def test_no_page_goes_up_while_nobody_would_end_it(serving):
    serving.kill_keeper()
    with pytest.raises(Exception, match="no keeper runs that would end the maintenance page"):
        serving.salt["wb_proxy.maintain"](OLD, 1, 1)
    assert serving.salt["wb_proxy.read"]()["maintenance"] is None
    assert get(serving.port)[2] == 200


def test_a_page_that_is_up_stays_up_when_it_can_not_be_prolonged(serving):
    serving.salt["wb_proxy.maintain"](OLD, 1, 1)
    for node in ("wb-web1", "wb-web2"):
        serving.web[node].serves = answer(NEW)
    serving.kill_keeper()
    with pytest.raises(Exception, match="no keeper runs"):
        serving.salt["wb_proxy.maintain"](OLD, 1, 1)
    assert get(serving.port)[2] == 503
    # The next keeper ends it, with one release.
    serving.start_keeper()
    assert wait_until_open(serving)["pools"]["a"] == ["wb-mining"]


def kill_and_start(site):
    site.kill_haproxy()
    site.start_haproxy()


def test_what_was_ordered_survives_a_haproxy_that_is_killed(serving):
    serving.web["wb-web2"].serves = answer(NEW)
    serving.salt["wb_proxy.set_pool"]("b", ["wb-web2"])
    serving.salt["wb_proxy.change_over"]("b")
    kill_and_start(serving)
    assert {get(serving.port)[3] for _ in range(6)} == {NEW}

    serving.salt["wb_proxy.maintain"](OLD, 20, 5)
    kill_and_start(serving)
    assert get(serving.port)[2] == 503
    serving.salt["wb_proxy.open"]()
    kill_and_start(serving)
    assert get(serving.port)[3] == NEW


def test_an_order_is_carried_out_while_haproxy_starts_again(serving):
    serving.kill_haproxy()
    with ThreadPoolExecutor() as thread:
        order = thread.submit(serving.salt["wb_proxy.set_pool"], "a", ["wb-web1"])
        time.sleep(0.5)
        assert not order.done()
        serving.web["wb-web1"].serves = answer(NEW)
        serving.start_haproxy()
        order.result()
    assert {get(serving.port)[3] for _ in range(6)} == {NEW}


def test_an_order_of_somebody_who_died_is_carried_out_by_the_keeper(serving):
    serving.web["wb-web2"].serves = answer(NEW)
    proxy = Path(serving.paths["proxy"])
    with open(proxy / "lock", "w", encoding="utf-8") as died:
        fcntl.flock(died, fcntl.LOCK_EX)
        (proxy / "begun").touch()
        (proxy / "pool_b.cfg").write_text(
            proxy_pools.render(
                "b", {"wb-web2": serving.salt["wb_settings.read"]()["web"]["wb-web2"]}
            )
        )
        (proxy / "site.map").write_text(proxy_pools.render_map({"live": "b", "page": "down"}))
        time.sleep(0.5)
        assert get(serving.port)[3] == OLD
    wait_until(lambda: not (proxy / "begun").exists())
    assert {get(serving.port)[3] for _ in range(6)} == {NEW}


def test_a_drain_waits_for_the_workers_that_a_reload_has_left(serving):
    serving.web["wb-web1"].delay = 2
    with Clients(serving.port, count=3) as clients:
        serving.reload_haproxy()
        began = time.monotonic()
        serving.salt["wb_proxy.set_pool"]("a", ["wb-web2", "wb-mining"])
        took = time.monotonic() - began
        serving.web["wb-web1"].serves = answer(NEW)
    # A request on a kept connection that a reload closes is for the client to repeat.
    assert {release for _, _, status, release, _ in clients.answers if status == 200} == {OLD}
    assert took > 1


def test_a_node_that_takes_no_connection_is_missed_by_nobody(serving):
    serving.web["wb-web1"].stop()
    with Clients(serving.port) as clients:
        pass
    assert clients.statuses == {200}


@pytest.mark.parametrize(("failing", "told"), [(0, 502), (503, 503)], ids=["silent", "restarts"])
def test_only_what_may_be_done_twice_is_asked_of_another_node(serving, failing, told):
    serving.web["wb-web1"].status = failing
    statuses = {"GET": set(), "POST": set()}
    for method, found in statuses.items():
        for _ in range(6):
            connection = http.client.HTTPConnection("127.0.0.1", serving.port)
            connection.request(method, "/")
            found.add(connection.getresponse().status)
            connection.close()
    assert serving.web["wb-web1"].asked
    assert statuses == {"GET": {200}, "POST": {200, told}}


def test_a_page_that_every_node_refuses_is_refused(serving):
    for node in serving.web.values():
        node.status = 503
    _, _, status, _, retry = get(serving.port)
    # In the words of the webapp: the maintenance page says when to come again.
    assert (status, retry) == (503, None)


def test_an_order_in_the_middle_of_a_reload_holds_afterwards(serving):
    serving.web["wb-web2"].serves = answer(NEW)
    for number in range(16):
        serving.reload_haproxy()
        time.sleep(number / 200)
        node, release = (("wb-web1", OLD), ("wb-web2", NEW))[number % 2]
        serving.salt["wb_proxy.set_pool"]("a", [node])
        assert {get(serving.port)[3] for _ in range(4)} == {release}, number
