"""The project's one file in nginx."""

from wbcore.model import nginx_site
from wbcore.settings import HAProxy, Nginx

TLS = Nginx(
    names=("www.example.org", "example.org"),
    certificate="/etc/ssl/site.pem",
    key="/etc/ssl/site.key",
    lines=("add_header X-Frame-Options SAMEORIGIN;",),
)


def statements(nginx, port=8081):
    text = nginx_site.render(nginx, HAProxy(port))
    return [line.strip() for line in text.splitlines()]


def test_a_site_without_tls_and_names_takes_what_no_other_site_has():
    told = statements(Nginx())
    assert "listen 80;" in told and 'server_name "" "~.";' in told
    assert not [line for line in told if "ssl" in line or "default_server" in line]
    assert nginx_site.ports(Nginx()) == [80]


def test_tls_names_and_lines_stand_in_the_site():
    told = statements(TLS)
    assert {"listen 80;", "listen 443 ssl http2;", *TLS.lines} <= set(told)
    assert "server_name www.example.org example.org;" in told
    assert "ssl_certificate /etc/ssl/site.pem;" in told
    assert "ssl_certificate_key /etc/ssl/site.key;" in told
    assert nginx_site.ports(TLS) == [80, 443]


def test_http2_can_be_switched_off():
    plain = Nginx(certificate="/c", key="/k", tls_port=8443, http2=False)
    assert "listen 8443 ssl;" in statements(plain)


def test_nginx_waits_longer_than_haproxy_tries():
    told = statements(Nginx(request_seconds=20), 9000)
    assert {"proxy_pass http://127.0.0.1:9000;", "proxy_read_timeout 65s;"} <= set(told)
