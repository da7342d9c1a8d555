# nginx in front of the web nodes, and the keeper of its maintenance page (role proxy).
{%- set settings = salt['wb_settings.read']() %}

nginx is installed:
  wb_package.installed:
    - pkgs: [nginx-light]

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

nginx starts again by itself:
  file.managed:
    - name: /etc/systemd/system/nginx.service.d/wormbase.conf
    - source: salt://proxy/nginx-service.conf
    - makedirs: True

nginx is configured:
  file.managed:
    - name: /etc/nginx/nginx.conf
    - source: salt://proxy/nginx.conf
    - template: jinja
    - require:
      - wb_package: nginx is installed

nginx runs:
  wb_service.running:
    - name: nginx
    - reload: True
    - require:
      - wb_proxy: every pool has its file
      - file: the maintenance page is there
      - file: nginx starts again by itself
    - watch:
      - file: nginx is configured

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
