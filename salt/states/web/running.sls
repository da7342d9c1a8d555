# Starman serves what is live, also when something of a newer release could not be had here;
# a go-live at work starts it itself. No row, nothing changes.
{%- set webapp = salt['wb_settings.read']().webapp %}
{%- for live in salt['wb_settings.live']() %}

Starman runs:
  wb_service.running:
    - name: {{ webapp.service }}
    - at: {{ webapp.port }}
    - release: {{ live.release }}
    - going_live: {{ live.going_live }}
    - interrupts: True
    - require:
      - sls: web.prepared
    - watch:
      - file: Starman has its launcher
      - file: Starman has its unit
{%- endfor %}
