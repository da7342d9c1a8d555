# How nodes fetch from one another: rsync in ssh, read-only, under an sshd and a user of its
# own. All nodes of the cluster share one key: it lets a node in, and it proves a source.
{%- set settings = salt['wb_settings.read']() %}
{%- set carrier = settings.paths.carrier %}

ssh and rsync are installed:
  wb_package.installed:
    - pkgs:
      - bsdiff
      - openssh-client
      - openssh-server
      - rsync
      - zstd

the carrier has its user:
  user.present:
    - name: {{ settings.carrier.user }}
    - system: True
    - home: {{ carrier }}
    - createhome: False
    - shell: /bin/sh
    - password: '*'
    - optional_groups:
      - {{ settings.mysql.group }}
      - {{ settings.acedb.group }}
    - require:
      - sls: node.prepared

the carrier has its directory:
  file.directory:
    - name: {{ carrier }}
    - mode: '0755'
    - require:
      - sls: node.prepared

# Root fetches with the one, the carrier proves itself with the other; ssh wants a key to be its
# owner's alone.
{%- for name, owner in [('id', 'root'), ('host_key', settings.carrier.user)] %}
the carrier has its {{ name }}:
  file.managed:
    - name: {{ carrier }}/{{ name }}
    - contents_pillar: wormbase:carrier:private_key
    - user: {{ owner }}
    - mode: '0400'
    - show_changes: False
    - require:
      - file: the carrier has its directory
      - user: the carrier has its user
{%- endfor %}

{%- for name in ['authorized_keys', 'known_hosts', 'rsyncd.conf', 'sshd_config'] %}
the carrier has its {{ name }}:
  file.managed:
    - name: {{ carrier }}/{{ name }}
    - source: salt://carrier/{{ name }}
    - template: jinja
    - mode: '0644'
    - require:
      - file: the carrier has its directory
    - watch_in:
      - wb_service: the carrier runs
{%- endfor %}

the carrier has its unit:
  file.managed:
    - name: /etc/systemd/system/wormbase-carrier.service
    - source: salt://carrier/wormbase-carrier.service
    - template: jinja

the carrier runs:
  wb_service.running:
    - name: wormbase-carrier
    - require:
      - wb_package: ssh and rsync are installed
      - user: the carrier has its user
    - watch:
      - file: the carrier has its host_key
      - file: the carrier has its unit
