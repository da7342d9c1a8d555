# AceDB, which xinetd starts at the first connection (role acedb).
{%- set settings = salt['wb_settings.read']() %}

# Before the package, whose installation starts it.
xinetd has its unit:
  file.managed:
    - name: /etc/systemd/system/xinetd.service
    - source: salt://acedb/xinetd.service

xinetd is installed:
  wb_package.installed:
    - pkgs: [xinetd]
    - require:
      - file: xinetd has its unit

AceDB's server is installed:
  file.exists:
    - name: {{ settings.acedb.server }}

the AceDB databases have their directory:
  file.directory:
    - name: {{ settings.paths.acedb }}
    - group: {{ settings.acedb.group }}
    - mode: '2775'
    - require:
      - sls: node.prepared

nothing else has AceDB's port:
  wb_acedb.sole:
    - require:
      - wb_package: xinetd is installed

xinetd knows AceDB:
  file.managed:
    - name: /etc/xinetd.d/{{ settings.acedb.xinetd }}
    - source: salt://acedb/xinetd.conf
    - template: jinja
    - require:
      - wb_acedb: nothing else has AceDB's port

xinetd runs:
  wb_service.running:
    - name: xinetd
    - at: {{ settings.acedb.port }}
    # Servers of other services that it has started go on.
    - reload: True
    # It ends AceDB's server if its entry is another one.
    - interrupts: True
    - watch:
      - file: xinetd knows AceDB
