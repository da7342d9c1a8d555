# Every node knows the cluster; passwords and keys go by role, to explicit ids: whoever reads
# another node's disk or pillar should not find what that node has no use for.
{%- import_yaml 'site.sls' as site %}
base:
  '*':
    - site
{%- for id, node in site.wormbase.nodes.items() %}
{%- set fetches = node.roles != ['proxy'] %}
{%- set announces = 'staging' in node.roles %}
{%- if fetches or announces %}
  '{{ id }}':
    - match: list
    - ignore_missing: true
    {%- if fetches %}
    - carrier
    {%- endif %}
    {%- if announces %}
    - announce
    {%- endif %}
{%- endif %}
{%- endfor %}
