"""The project's one file in the nginx that visitors reach.

.. code-block:: yaml

    nginx passes requests to HAProxy:
      wb_nginx.passing
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wbnode.state
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_nginx"


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def passing(name: str) -> State:
    """Make sure that nginx has the project's file, beside those of other sites. One that it would
    not serve is not written: nginx's own sentence is the comment."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: {"site": __salt__["wb_nginx.site"]()},
        {"site": __salt__["wb_nginx.wanted"]()},
        lambda wrong: __salt__["wb_nginx.place"](),
    )
