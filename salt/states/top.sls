# Which states a node gets, by its roles in the pillar: wormbase:nodes:<id>:roles.
{%- set roles = 'wormbase:nodes:' ~ opts.id ~ ':roles' %}
base:
  '*':
    - node.prepared
  '{{ roles }}:staging':
    - match: pillar
    - staging.prepared
    - mysql.served
    - carrier.served
  '{{ roles }}:acedb':
    - match: pillar
    - acedb.served
    - carrier.served
    - release.enforced
  '{{ roles }}:mysql':
    - match: pillar
    - mysql.served
    - carrier.served
    - release.enforced
  '{{ roles }}:support':
    - match: pillar
    - support.prepared
    - carrier.served
    - release.enforced
  '{{ roles }}:web':
    - match: pillar
    - web.prepared
    - carrier.served
    - release.enforced
    - web.running
  '{{ roles }}:proxy':
    - match: pillar
    - proxy.served
    - proxy.serving
