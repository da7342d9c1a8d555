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
{%- endfor %}

the keeper has its init script:
  file.managed:
    - name: /etc/init.d/wormbase-keeper
    - source: salt://proxy/wormbase-keeper
    - template: jinja
    - mode: '0755'

the keeper starts at boot:
  wb_service.enabled:
    - name: wormbase-keeper
    - require:
      - file: the keeper has its init script
