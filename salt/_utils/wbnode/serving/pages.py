"""The pages of the webapp that runs on this node."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from wbcore.errors import StepFailed
from wbcore.golive import pages
from wbcore.names import Release

_LOOK = "look at the journal of Starman's unit on this node (webapp:service in the pillar)"


def check(
    port: int, paths: Mapping[str, str], release: Release, seconds: float
) -> dict[str, dict[str, Any]]:
    """Ask each path: ``{path: {"status": int, "seconds": float, "said": what a bad page says}}``.

    paths
        Path → the text that must be in the page, see :func:`wbcore.golive.pages.text`. StepFailed
        for a page with status 200 that lacks it.
    """
    return {path: _checked(port, path, text, release, seconds) for path, text in paths.items()}


def version(port: int, path: str, seconds: float) -> Any:
    """What a page of the webapp says about the versions that it serves."""
    status, body = get(port, path, seconds)
    if status != 200:
        raise StepFailed(f"{path} on port {port} answers {status}: {_sentence(body)}", _LOOK)
    try:
        return json.loads(body)
    except ValueError:
        raise StepFailed(f"{path} on port {port} is not JSON", _LOOK) from None


def get(port: int, path: str, seconds: float) -> tuple[int, bytes]:
    """Status and body. A page that says what is wrong is an answer, no answer is not."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=seconds) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise StepFailed(
            f"the webapp does not answer on port {port}: {reason}",
            _LOOK,
        ) from error


def _checked(port: int, path: str, text: str, release: Release, seconds: float) -> dict[str, Any]:
    began = time.monotonic()
    status, body = get(port, path, seconds)
    wanted = pages.text(text, release)
    if status == 200 and wanted.encode() not in body:
        raise StepFailed(
            f"the page {path} of {release} lacks {wanted!r}",
            "fix the webapp, or change wormbase:webapp:check_paths",
        )
    said = "" if status == 200 else _sentence(body)
    return {"status": status, "seconds": round(time.monotonic() - began, 3), "said": said}


def _sentence(body: bytes) -> str:
    return re.sub(r"\s+", " ", body.decode("utf-8", "replace")).strip()[:300]
