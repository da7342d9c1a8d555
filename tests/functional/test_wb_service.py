"""Whether services run and start at boot, and whether packages are installed."""

import subprocess

import pytest
import salt.loader


@pytest.fixture
def states(make_opts):
    opts = {**make_opts("node", {}), "test": True}
    return salt.loader.states(opts, salt.loader.minion_mods(opts), {}, None)


@pytest.mark.parametrize(
    ("link", "enabled"),
    [
        ("rc2.d/S01nginx", True),
        ("rc5.d/S20nginx", True),
        ("rc2.d/K01nginx", False),
        ("rc0.d/S01nginx", False),
        ("rc2.d/S01nginx-other", False),
    ],
)
def test_a_service_is_enabled_by_its_link(modules, layout, states, link, enabled):
    path = layout.root / "etc" / link
    path.parent.mkdir(parents=True)
    path.symlink_to("../init.d/nginx")
    assert modules["wb_service.enabled"]("nginx") is enabled
    assert states["wb_service.enabled"]("nginx")["result"] is (True if enabled else None)


def test_a_service_that_is_not_there_does_not_run(modules):
    assert modules["wb_service.running"]("no-such-service") is False


@pytest.fixture
def status(layout):
    """What dpkg has here, and one package that was removed, at the scratch node's place."""
    text = subprocess.run(
        ["cat", "/var/lib/dpkg/status"], capture_output=True, text=True, check=True
    ).stdout
    text += "\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: all\n"
    text += "\nPackage: held\nEssential: yes\nStatus: hold ok installed\n"
    path = layout.root / "var/lib/dpkg/status"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_packages_are_those_of_dpkg(status, states):
    installed = states["wb_package.installed"]
    assert installed("these", pkgs=["dpkg", "bash", "held"])["result"] is True
    missing = installed("these", pkgs=["dpkg", "gone", "no-such-package"])
    assert missing["result"] is None
    assert set(missing["changes"]) == {"gone", "no-such-package"}
