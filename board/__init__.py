"""The board: a web page on the master for people who watch releases and act on them.

It has no rights of its own. It reads the ledger, follows the bus, and hands everything else to
the master under the Salt token of the person who asked.
"""
