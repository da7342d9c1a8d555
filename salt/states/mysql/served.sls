# MariaDB over MyISAM directories (role mysql, and the builders' server on wb-dev).
{%- set settings = salt['wb_settings.read']() %}

# Before the package, whose installation has systemd read it.
MariaDB starts again by itself, and may write to its databases:
  file.managed:
    - name: /etc/systemd/system/{{ settings.mysql.service }}.service.d/wormbase.conf
    - source: salt://mysql/systemd.conf
    - template: jinja
    - makedirs: True

MariaDB is installed:
  wb_package.installed:
    - pkgs: [mariadb-server]
    - require:
      - file: MariaDB starts again by itself, and may write to its databases

no database of MariaDB is elsewhere:
  wb_mysql.together:
    - require:
      - wb_package: MariaDB is installed

MariaDB is configured:
  file.managed:
    - name: {{ settings.mysql.config }}
    - source: salt://mysql/wormbase.cnf
    - template: jinja
    - require:
      - wb_mysql: no database of MariaDB is elsewhere

the MySQL databases have their directory:
  file.directory:
    - name: {{ settings.paths.mysql }}
    - user: {{ settings.mysql.user }}
    - group: {{ settings.mysql.group }}
    - mode: '2775'
    - makedirs: True
    - require:
      - wb_mysql: no database of MariaDB is elsewhere

MariaDB has its system tables:
  wb_mysql.initialised:
    - require:
      - file: the MySQL databases have their directory

# By itself: what runs already must not be restarted for it.
MariaDB starts at boot:
  wb_service.enabled:
    - name: {{ settings.mysql.service }}
    - require:
      - wb_package: MariaDB is installed

MariaDB runs:
  wb_service.running:
    - name: {{ settings.mysql.service }}
    - at: {{ settings.mysql.socket }}
    - require:
      - wb_service: MariaDB starts at boot
      - file: MariaDB is configured
      - wb_mysql: MariaDB has its system tables

# A change of its file alone restarts nothing: other applications may use the server.
MariaDB has its databases in the project's directory:
  wb_mysql.placed:
    - require:
      - wb_service: MariaDB runs

the webapp may read the databases of builds:
  wb_mysql.readable:
    - reader: {{ settings.mysql.reader }}
    - require:
      - wb_mysql: MariaDB has its databases in the project's directory
