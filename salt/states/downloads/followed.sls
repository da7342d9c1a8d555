# The links of the download tree lead to what is live and to what landed last (role staging).
# No row, nothing changes.
include:
  - release.current
{%- for live in salt['wb_settings.live']() %}

the download links follow {{ live.release }}:
  wb_download.followed:
    - builds: {{ live.downloads | json }}
    - going_live: {{ live.going_live }}
    - epoch: {{ live.epoch }}
    - require:
      - wb_live: the ledger is no old copy
{%- endfor %}
