# Starman runs as soon as something is live here; a go-live at work restarts it itself.
{%- set settings = salt['wb_settings.read']() %}

Starman runs:
  service.running:
    - name: wormbase-starman
    - onlyif:
      - fun: file.directory_exists
        path: {{ settings.paths.production }}
    - unless:
      - fun: wb_settings.going_live
    - require:
      - sls: web.prepared
