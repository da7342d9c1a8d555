#!py
"""A node says that servers on it have to be restarted: have the master take it out of the pool."""

from wbcore import events
from wbcore.errors import BadRequest


def run():
    try:
        node = events.due(tag)
    except BadRequest:
        return {}
    return {"a restart is due": {"runner.wb_auto.due": [{"args": [{"node": node}]}]}}
