"""Asking an AceDB server: the client's side of its socket protocol.

A message is a header (five numbers and the message's type) and a text. A connection begins
with a greeting that is answered by a nonce, to be signed with user and password. Source: the
``SocketServer`` module of AcePerl, and ``wsocket`` of AceDB 4.9.39.
"""

from __future__ import annotations

import hashlib
import re
import socket
import struct
from types import TracebackType

from wbcore.errors import StepFailed

_HEADER = struct.Struct("=5I30s")
_MAGIC = 0x12345678
_REQUEST = b"ACESERV_MSGREQ"
_OK = "ACESERV_MSGOK"
_LOOK = "look at database/serverlog.wrm of its database"


class AceClient:
    """A connection of a reader, to be used in a ``with``; raises OSError or StepFailed."""

    def __init__(self, port: int, timeout: float, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout)
        self._client = 0
        try:
            self._greet()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> AceClient:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._send("quit")
        finally:
            self._socket.close()

    def ask(self, command: str) -> str:
        """The answer to a command."""
        self._send(command)
        kind, text = self._receive()
        if kind != _OK:
            raise StepFailed(f"AceDB refused {command!r}: {kind} {text[:200]}", _LOOK)
        return text

    def name(self) -> str:
        """The ``NAME`` of the database that is served: its build, such as ``WS221``."""
        match = re.search(r"^\W*Name: (\S+)", self.ask("status"), re.MULTILINE)
        if match is None:
            raise StepFailed("AceDB's status shows no name", "give the database a NAME")
        return match[1]

    def _greet(self) -> None:
        nonce = self.ask("bonjour")
        secret = hashlib.md5(b"anonymousguest", usedforsecurity=False).hexdigest()
        proof = hashlib.md5((secret + nonce).encode(), usedforsecurity=False).hexdigest()
        welcome = self.ask(f"anonymous {proof}")
        if welcome != "et bonjour a vous":
            raise StepFailed(f"AceDB lets no reader in: {welcome[:200]}", _LOOK)

    def _send(self, text: str) -> None:
        body = text.encode() + b"\0"
        self._socket.sendall(_HEADER.pack(_MAGIC, len(body), 0, self._client, 0, _REQUEST) + body)

    def _receive(self) -> tuple[str, str]:
        _, length, _, client, _, kind = _HEADER.unpack(self._read(_HEADER.size))
        self._client = self._client or client
        text = self._read(length).rstrip(b"\0").decode("utf-8", "replace")
        return kind.split(b"\0")[0].decode("ascii", "replace"), text

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            piece = self._socket.recv(length - len(data))
            if not piece:
                raise ConnectionError("AceDB closed the connection")
            data += piece
        return data
