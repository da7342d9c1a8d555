# What the webapp needs to be started (role web).
{%- set settings = salt['wb_settings.read']() %}

Starman and Catalyst are installed:
  wb_package.installed:
    - pkgs:
      - starman
      - libserver-starter-perl
      - libcatalyst-perl
      - libcatalyst-plugin-static-simple-perl
      - libcatalyst-plugin-configloader-perl
      - libconfig-general-perl
      - libtie-ixhash-perl
      - liblocal-lib-perl
      - libcatalyst-action-renderview-perl
      - libace-perl
      - libdbd-mariadb-perl

the webapps have their directory:
  file.directory:
    - name: {{ settings.paths.webapp }}
    - mode: '0755'
    - require:
      - sls: node.prepared

Starman has its launcher:
  file.managed:
    - name: {{ settings.paths.programs }}/starman.sh
    - source: salt://web/starman.sh
    - template: jinja
    - mode: '0644'
    - makedirs: True

Starman has its unit:
  file.managed:
    - name: /etc/systemd/system/{{ settings.webapp.service }}.service
    - source: salt://web/wormbase-starman.service
    - template: jinja

Starman starts at boot:
  wb_service.enabled:
    - name: {{ settings.webapp.service }}
    - require:
      - file: Starman has its launcher
      - file: Starman has its unit
