# HAProxy before the web nodes, and the keeper of its maintenance page (role proxy).
{%- set settings = salt['wb_settings.read']() %}

HAProxy is installed:
  wb_package.installed:
    - pkgs: [haproxy]

the proxy has its directory:
  file.directory:
    - name: {{ settings.paths.proxy }}
    - mode: '0755'
    - require:
      - sls: node.prepared

the maintenance page is there:
  file.managed:
    - name: {{ settings.paths.proxy }}/maintenance.html
    - source: salt://proxy/maintenance.html
    - mode: '0644'
    - require:
      - file: the proxy has its directory

every pool has its file:
  wb_proxy.prepared:
    - require:
      - file: the proxy has its directory

HAProxy is configured:
  file.managed:
    - name: {{ settings.paths.proxy }}/haproxy.cfg
    - source: salt://proxy/haproxy.cfg
    - template: jinja
    - mode: '0644'
    - require:
      - file: the proxy has its directory

HAProxy has its unit:
  file.managed:
    - name: /etc/systemd/system/wormbase-haproxy.service
    - source: salt://proxy/wormbase-haproxy.service
    - template: jinja
    - mode: '0644'

HAProxy runs:
  wb_service.running:
    - name: wormbase-haproxy
    - reload: True
    - require:
      - wb_package: HAProxy is installed
      - wb_proxy: every pool has its file
      - file: HAProxy has its unit
    - watch:
      - file: HAProxy is configured
      - file: the maintenance page is there

# The keeper outlives a minion and uses no part of Salt: it has its own copy of what it needs.
the keeper has the core:
  file.recurse:
    - name: {{ settings.paths.programs }}/wbcore
    - source: salt://_utils/wbcore
    - include_pat: '*.py'
    - clean: True
    - exclude_pat: '*.pyc'
    - watch_in:
      - wb_service: the keeper runs

{%- for name, source in [
  ('wbnode/__init__.py', 'salt://_utils/wbnode/__init__.py'),
  ('wbnode/proxy.py', 'salt://_utils/wbnode/proxy.py'),
  ('wbnode/haproxy.py', 'salt://_utils/wbnode/haproxy.py'),
  ('keeper.py', 'salt://proxy/keeper.py'),
] %}
the keeper has its {{ name }}:
  file.managed:
    - name: {{ settings.paths.programs }}/{{ name }}
    - source: {{ source }}
    - mode: '0644'
    - makedirs: True
    - watch_in:
      - wb_service: the keeper runs
{%- endfor %}

the keeper has its unit:
  file.managed:
    - name: /etc/systemd/system/wormbase-keeper.service
    - source: salt://proxy/wormbase-keeper.service
    - template: jinja

the keeper runs:
  wb_service.running:
    - name: wormbase-keeper
    - watch:
      - file: the keeper has its unit
