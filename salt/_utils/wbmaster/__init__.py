"""The master's part: the ledger, the lock, the nodes' answers, the steps of a run.

It runs in the process of ``salt-run`` (runners, and the states of an orchestration) and
never on a node. What is decided here is decided by :mod:`wbcore`.
"""
