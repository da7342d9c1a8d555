# The live pool has the nodes that serve what is live, and no others (role proxy).
include:
  - release.current
{%- for live in salt['wb_settings.live']() %}

the live pool has the nodes that serve {{ live.release }}:
  wb_proxy.serving:
    - release: {{ live.release }}
    - web: {{ live.web | json }}
    - going_live: {{ live.going_live }}
    - epoch: {{ live.epoch }}
    - require:
      - wb_live: the ledger is no old copy
      - sls: proxy.served
{%- endfor %}
