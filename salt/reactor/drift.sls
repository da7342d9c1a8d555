#!py
"""A node tells what was not as it should be there: have the master check and record it."""

from wbcore import events
from wbcore.errors import BadRequest


def run():
    try:
        report = events.drifted(tag, data)
    except BadRequest:
        return {}
    return {"a node has drifted": {"runner.wb_auto.drifted": [{"args": [{"node": report.node}, {"report": report.plain()}]}]}}
