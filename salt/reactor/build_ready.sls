#!py
"""A build says that it has landed: have the master look at the development server.

Nothing of the event is believed but the name of a build (SALT: nothing in an event proves
its sender), and the runner asks the development server itself.
"""

from wbcore import events
from wbcore.errors import BadRequest


def run():
    try:
        build, cause = events.announced(data)
    except BadRequest:
        return {}
    return {"a build has landed": {"runner.wb_auto.landed": [{"args": [{"build": str(build)}, {"cause": cause}]}]}}
