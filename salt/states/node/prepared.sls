# What every node has: the users of the services and the automation's own directory.
{%- set settings = salt['wb_settings.read']() %}

{%- for user, group in [
  (settings.acedb.user, settings.acedb.group),
  (settings.webapp.user, settings.webapp.group),
]|unique %}
the user {{ user }} is there:
  group.present:
    - name: {{ group }}
    - system: True
  user.present:
    - name: {{ user }}
    - gid: {{ group }}
    - system: True
    - home: {{ settings.paths.wormbase }}
    - createhome: False
    - shell: /usr/sbin/nologin
    # One that the site has stays as it is: usermod refuses to change who has processes.
    - unless:
      - fun: user.info
        name: {{ user }}
    - require:
      - group: the user {{ user }} is there
{%- endfor %}

the minion starts again by itself:
  file.managed:
    - name: /etc/systemd/system/salt-minion.service.d/wormbase.conf
    - source: salt://node/salt-minion.conf
    - makedirs: True

the minion runs:
  wb_service.running:
    - name: salt-minion
    - require:
      - file: the minion starts again by itself

the automation has its directory:
  file.directory:
    - name: {{ settings.paths.state }}
    - mode: '0755'
    - makedirs: True

WormBase has its directory:
  file.directory:
    - name: {{ settings.paths.wormbase }}
    - mode: '0755'
    - makedirs: True
