# The site in the nginx that visitors reach: one file, which passes every request to HAProxy.
{%- set settings = salt['wb_settings.read']() %}

nginx is installed:
  wb_package.installed:
    - pkgs: [nginx-light, iproute2]

nginx starts again by itself:
  file.managed:
    - name: /etc/systemd/system/nginx.service.d/wormbase.conf
    - source: salt://proxy/nginx-service.conf
    - makedirs: True

# Not before HAProxy has somebody to give requests to.
nginx passes requests to HAProxy:
  wb_nginx.passing:
    - require:
      - wb_package: nginx is installed
      - wb_service: HAProxy runs
{%- for live in salt['wb_settings.live']() %}
      - wb_proxy: the live pool has the nodes that serve {{ live.release }}
{%- endfor %}

nginx runs:
  wb_service.running:
    - name: nginx
    - reload: True
    - require:
      - file: nginx starts again by itself
    - watch:
      - wb_nginx: nginx passes requests to HAProxy
