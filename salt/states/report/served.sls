# The report of what this node serves, which the proxy asks for (role web).
{%- set settings = salt['wb_settings.read']() %}

the report has its user:
  group.present:
    - name: {{ settings.report.user }}
    - system: True
  user.present:
    - name: {{ settings.report.user }}
    - gid: {{ settings.report.user }}
    - system: True
    - home: /nonexistent
    - createhome: False
    - shell: /usr/sbin/nologin
    - require:
      - group: the report has its user

# The report outlives a minion and uses no part of Salt: it has its own copy of what it needs.
the report has the core:
  file.recurse:
    - name: {{ settings.paths.programs }}/wbcore
    - source: salt://_utils/wbcore
    - include_pat: '*.py'
    - clean: True
    - exclude_pat: '*.pyc'

the report can ask servers:
  file.recurse:
    - name: {{ settings.paths.programs }}/wbnode/serving
    - source: salt://_utils/wbnode/serving
    - include_pat: '*.py'
    - clean: True
    - exclude_pat: '*.pyc'

{%- for name, source in [
  ('wbnode/__init__.py', 'salt://_utils/wbnode/__init__.py'),
  ('wbnode/acedb.py', 'salt://_utils/wbnode/acedb.py'),
  ('report.py', 'salt://report/report.py'),
] %}
the report has its {{ name }}:
  file.managed:
    - name: {{ settings.paths.programs }}/{{ name }}
    - source: {{ source }}
    - mode: '0644'
    - makedirs: True
{%- endfor %}

the report knows what to ask:
  file.serialize:
    - name: {{ settings.paths.programs }}/report.json
    - dataset: {{ salt['wb_settings.report']() | json }}
    - serializer: json
    - mode: '0644'
    - require:
      - file: the report has its report.py

the report has its unit:
  file.managed:
    - name: /etc/systemd/system/wormbase-report.service
    - source: salt://report/wormbase-report.service
    - template: jinja
    - mode: '0644'

the report runs:
  wb_service.running:
    - name: wormbase-report
    - require:
      - user: the report has its user
    - watch:
      - file: the report has its unit
      - file: the report has the core
      - file: the report can ask servers
      - file: the report has its wbnode/__init__.py
      - file: the report has its wbnode/acedb.py
      - file: the report has its report.py
      - file: the report knows what to ask
