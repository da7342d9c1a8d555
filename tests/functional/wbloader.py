"""Salt's real loader with the project's modules, on a node whose root is a scratch directory."""

from pathlib import Path

import salt.config
import salt.loader

CHECKOUT = Path(__file__).resolve().parents[2]


def options(root, pillar, node, test=False):
    """Minion options of a node below ``root``."""
    opts = dict(salt.config.DEFAULT_MINION_OPTS)
    opts.update(
        id=node,
        root_dir=str(root),
        cachedir=str(root / "var/cache/salt"),
        file_client="local",
        fileserver_backend=["roots"],
        file_roots={"base": [str(CHECKOUT / "salt/states"), str(CHECKOUT / "salt")]},
        module_dirs=[str(CHECKOUT / "salt")],
        pillar=pillar,
        grains={"id": node, "os": "Debian", "os_family": "Debian", "kernel": "Linux"},
        test=test,
    )
    return opts


def modules(root, pillar, node):
    """The execution functions of a node, by name."""
    opts = options(root, pillar, node)
    return salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))


def states(root, pillar, node, test=False):
    """The state functions of a node, by name."""
    opts = options(root, pillar, node, test)
    utils = salt.loader.utils(opts)
    functions = salt.loader.minion_mods(opts, utils=utils)
    return salt.loader.states(opts, functions, utils, None)
