# The ledger is no old copy: whatever goes by it requires this. No row, nothing changes.
{%- for live in salt['wb_settings.live']() %}

the ledger is no old copy:
  wb_live.current:
    - epoch: {{ live.epoch }}
{%- endfor %}
