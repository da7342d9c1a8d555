# The report may ask MySQL for the tables of builds (roles web and mysql).
{%- set settings = salt['wb_settings.read']() %}

the report may read the databases of builds:
  wb_mysql.readable:
    - reader: {{ settings.report.user }}
    - require:
      - wb_mysql: MariaDB has its databases in the project's directory
