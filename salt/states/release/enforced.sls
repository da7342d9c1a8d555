# What the ledger says is live is on this node, verified, and served (wormbase:live of the
# master's external pillar). No row, nothing changes.
include:
  - release.current
{%- for live in salt['wb_settings.live']() %}

the datasets of {{ live.release }} are here:
  wb_dataset.present:
    - manifests: {{ live.manifests | json }}
    - datasets: {{ live.datasets | json }}
    - sources: {{ live.sources | json }}
    - require:
      - wb_live: the ledger is no old copy

the live links are those of {{ live.release }}:
  wb_link.switched:
    - release: {{ live.release }}
    - links: {{ live.links | json }}
    - going_live: {{ live.going_live }}
    - epoch: {{ live.epoch }}
    - require:
      - wb_dataset: the datasets of {{ live.release }} are here
{%- endfor %}
