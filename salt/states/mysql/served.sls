# MariaDB over MyISAM directories (role mysql, and the builders' server on wb-dev).
{%- set settings = salt['wb_settings.read']() %}

# Before the package, whose installation has systemd read it.
MariaDB starts again by itself, and may write to its databases:
  file.managed:
    - name: /etc/systemd/system/mariadb.service.d/wormbase.conf
    - source: salt://mysql/systemd.conf
    - template: jinja
    - makedirs: True

MariaDB is installed:
  wb_package.installed:
    - pkgs: [mariadb-server]
    - require:
      - file: MariaDB starts again by itself, and may write to its databases

MariaDB is configured:
  file.managed:
    - name: /etc/mysql/mariadb.conf.d/90-wormbase.cnf
    - source: salt://mysql/wormbase.cnf
    - template: jinja
    - require:
      - wb_package: MariaDB is installed

what MariaDB makes can be read by its group:
  file.managed:
    - name: /etc/default/mariadb
    - source: salt://mysql/default
    - require:
      - wb_package: MariaDB is installed

the MySQL databases have their directory:
  file.directory:
    - name: {{ settings.paths.mysql }}
    - user: {{ settings.mysql.user }}
    - group: {{ settings.mysql.group }}
    - mode: '2775'
    - makedirs: True
    - require:
      - wb_package: MariaDB is installed

MariaDB has its system tables:
  wb_mysql.initialised:
    - require:
      - file: the MySQL databases have their directory

MariaDB runs:
  wb_service.running:
    - name: mariadb
    - interrupts: True
    - require:
      - wb_mysql: MariaDB has its system tables
    - watch:
      - file: MariaDB is configured
      - file: what MariaDB makes can be read by its group

the webapp may read the databases of builds:
  wb_mysql.readable:
    - reader: {{ settings.mysql.reader }}
    - require:
      - wb_service: MariaDB runs
