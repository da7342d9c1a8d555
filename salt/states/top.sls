# Which states a node gets, by its roles in the pillar: wormbase:nodes:<id>:roles.
# Servers first, then what they serve.
{%- set roles = 'wormbase:nodes:' ~ opts.id ~ ':roles' %}
base:
  '*':
    - node.prepared
  '{{ roles }}:mysql':
    - match: pillar
    - mysql.served
  '{{ roles }}:acedb':
    - match: pillar
    - acedb.served
  '{{ roles }}:support':
    - match: pillar
    - support.prepared
  '{{ roles }}:web':
    - match: pillar
    - web.prepared
  '{{ roles }}:staging':
    - match: pillar
    - staging.prepared
    - downloads.followed
    - mysql.served
    - carrier.served
  'I@{{ roles }}:mysql or I@{{ roles }}:acedb or I@{{ roles }}:support or I@{{ roles }}:web':
    - match: compound
    - carrier.served
    - release.enforced
  'I@{{ roles }}:web':
    - match: compound
    - web.running
    - report.served
  'I@{{ roles }}:web and I@{{ roles }}:mysql':
    - match: compound
    - report.allowed
  '{{ roles }}:proxy':
    - match: pillar
    - proxy.served
    - proxy.serving
    - proxy.visitors
