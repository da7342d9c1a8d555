#!py
"""A node says that it serves what is live: have the proxy look whether that is so."""

from wbcore import events
from wbcore.errors import BadRequest


def run():
    try:
        node = events.joined(tag)
    except BadRequest:
        return {}
    return {"a node serves": {"runner.wb_auto.joined": [{"args": [{"node": node}]}]}}
