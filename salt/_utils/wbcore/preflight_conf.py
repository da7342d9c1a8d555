"""The configuration with which a release is tried out: where the new databases are.

Source: docs/field.md, "The webapp".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import BadRequest

# Other braces belong to the webapp: its own settings have lists in them.
_PLACEHOLDER = re.compile(r"\{(?:(acedb_port)|mysql:([^{}\s]*))\}")


def preflight_conf(template: str, acedb_port: int, databases: Mapping[str, str]) -> str:
    """The text of the configuration file, from the template in the pillar.

    databases
        MySQL directory of each database, ``{"c_elegans": "c_elegans_WS221"}``.
    """

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return str(acedb_port)
        if found[2] not in databases:
            raise BadRequest(
                f"webapp:preflight_conf in the pillar asks for {found[0]}, and the release has no "
                "such database",
                f"use one of {', '.join(sorted(databases)) or 'none'}",
            )
        return databases[found[2]]

    return _PLACEHOLDER.sub(value, template)
