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

Starman has its init script:
  file.managed:
    - name: /etc/init.d/wormbase-starman
    - source: salt://web/wormbase-starman
    - template: jinja
    - mode: '0755'

Starman starts at boot:
  wb_service.enabled:
    - name: wormbase-starman
    - require:
      - file: Starman has its init script
