#!py
"""A build says that it has landed: have the master look at the development server.

Nothing in an event proves its sender: what it says is checked for its form, it never counts as
a command, and the runner asks the development server itself.
"""

from wbcore import events
from wbcore.errors import BadRequest


def run():
    try:
        said = events.announced(data)
    except BadRequest:
        return {}
    words = [{"build": str(said.build)}, {"cause": said.cause}, {"sender": said.sender}]
    return {"a build has landed": {"runner.wb_auto.landed": [{"args": words}]}}
