#!/bin/sh
# fe: Debian's nginx in front of the web nodes, and the curators' wiki under TLS.
set -eu

cat >/etc/nginx/sites-available/wormbase <<'END'
upstream wormbase {
    server wb-web1:5000;
    server wb-web2:5000;
    server wb-mining:5000;
    server canopus:5000;
}

server {
    listen 80 default_server;
    server_name www.wormbase.org;
    access_log /var/log/nginx/wormbase.log;

    location / {
        proxy_pass http://wormbase;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
}
END

cat >/etc/nginx/sites-available/wiki <<'END'
server {
    listen 443 ssl http2;
    server_name wiki.wormbase.org;
    ssl_certificate     /etc/nginx/wiki.crt;
    ssl_certificate_key /etc/nginx/wiki.key;
    root /srv/wiki;
}
END
[ -e /etc/nginx/wiki.key ] || openssl req -x509 -newkey rsa:2048 -noenc -days 3650 \
    -subj /CN=wiki.wormbase.org -addext subjectAltName=DNS:wiki.wormbase.org \
    -keyout /etc/nginx/wiki.key -out /etc/nginx/wiki.crt 2>/dev/null
install -d /srv/wiki
echo '<h1>The WormBase wiki</h1>' >/srv/wiki/index.html

cd /etc/nginx/sites-enabled
rm -f default
ln -sf ../sites-available/wormbase ../sites-available/wiki .
nginx -t -q
systemctl enable --quiet nginx
systemctl restart nginx
