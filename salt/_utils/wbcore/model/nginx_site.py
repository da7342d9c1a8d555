"""The project's one file of the nginx that visitors reach."""

from __future__ import annotations

from ..settings import HAProxy, Nginx

# A name that any host matches, unless another site has it. Unlike `default_server` it is not in
# the way of one.
_ANY_NAME = ('""', '"~."')
# A request that a web node does not answer is tried on others before nginx has an answer.
_TRIES = 3
_SITE = """\
# Written by Salt (proxy.visitors).
server {{
{listens}
    server_name {names};
{lines}
    # What is asked of BLAST may be long.
    client_max_body_size 32m;

    location / {{
        proxy_pass http://127.0.0.1:{port};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout {seconds}s;
    }}
}}
"""


def ports(nginx: Nginx) -> list[int]:
    """The ports on which visitors are served."""
    return [nginx.port, *([nginx.tls_port] if nginx.certificate else [])]


def render(nginx: Nginx, haproxy: HAProxy) -> str:
    """The file: one server that passes every request to HAProxy."""
    listens, lines = [f"    listen {nginx.port};"], list(nginx.lines)
    if nginx.certificate:
        listens.append(f"    listen {nginx.tls_port} ssl{' http2' if nginx.http2 else ''};")
        lines = [
            f"ssl_certificate {nginx.certificate};",
            f"ssl_certificate_key {nginx.key};",
            *lines,
        ]
    return _SITE.format(
        listens="\n".join(listens),
        names=" ".join(nginx.names or _ANY_NAME),
        lines="".join(f"    {line}\n" for line in lines),
        port=haproxy.port,
        seconds=_TRIES * nginx.request_seconds + 5,
    )
