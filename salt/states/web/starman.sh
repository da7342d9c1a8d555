{%- set settings = salt['wb_settings.read']() -%}
{%- set webapp = settings.webapp -%}
#!/bin/sh
# Written by Salt (web.prepared): one Starman on the release that is live at this moment.
# Server::Starter, which holds the port, runs it anew at each reload.
release=$(readlink -e {{ settings.paths.production }}) || exit 1
# What is served is learnt from the working directory, and from this file.
cd "$release" && echo "$release" >/run/wormbase-starman/release || exit 1
# The release's own environment; it may be written for an interactive shell.
. ./wormbase.env
cd "$release" || exit 1
exec starman --preload-app --workers {{ webapp.workers }} --max-requests 100000 \
  --access-log logs/access.log bin/boot.psgi
