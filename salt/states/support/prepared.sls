# The support databases: files that the webapp reads (role support).
{%- set settings = salt['wb_settings.read']() %}

the support databases have their directory:
  file.directory:
    - name: {{ settings.paths.support }}
    - mode: '0755'
    - require:
      - sls: node.prepared
