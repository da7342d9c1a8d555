# Where builds land, the webapp is tested and software is given out (role staging).
{%- set settings = salt['wb_settings.read']() %}

Mercurial and git are installed:
  wb_package.installed:
    - pkgs: [mercurial, git]

AceDB's tace, by which builds are counted, is installed:
  file.exists:
    - name: {{ settings.acedb.tace }}

{%- for path in [
  settings.paths.acedb,
  settings.paths.support,
  settings.paths.webapp,
  settings.paths.builds,
  settings.paths.software,
] %}
{{ path }} is there:
  file.directory:
    - name: {{ path }}
    - mode: '0755'
    - makedirs: True
    - require:
      - sls: node.prepared
{%- endfor %}

builds that land are announced:
  beacon.present:
    - name: wb_build_ready
    - save: True
    - interval: 5
