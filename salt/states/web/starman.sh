{%- set settings = salt['wb_settings.read']() -%}
{%- set webapp = settings.webapp -%}
#!/bin/bash
# Written by Salt (web.prepared): starts the webapp of the release that is live at this moment.
release=$(readlink -e {{ settings.paths.production }}) || exit
# What is served is learnt from the working directory, and from this file.
cd "$release" && echo "$release" >{{ settings.paths.root.rstrip('/') }}/run/wormbase-starman/release || exit
{%- for name, value in webapp.environment.items() %}
export {{ name }}={{ value | quote }}
{%- endfor %}
# Sourced as the wiki page says; it may change the directory.
. ./wormbase.env >/dev/null
cd "$release" || exit
{%- if webapp.start_script %}
exec ./{{ webapp.start_script }} start
{%- else %}
for psgi in {{ webapp.psgi | join(' ') }}; do
    [ ! -f "$psgi" ] || break
done
exec starman --preload-app --workers {{ webapp.workers }} --max-requests 100000 \
  --access-log logs/access.log "$psgi"
{%- endif %}
