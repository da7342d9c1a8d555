# A release, step by step as on the wiki page "Updating The Production Servers".
#
#     salt-run state.orch orch.release pillar='{build: WS221}'
#
# The steps are taken in the order of this list. None is taken after one that failed, and
# `end` always comes: it puts the site back when the change-over did not pass its checks.
include:
  - orch.steps.s00_seal
  - orch.steps.s00_check_contents
  - orch.steps.s01_check_disk_space
  - orch.steps.s00_make_parcels
  - orch.steps.s03_push_acedb
  - orch.steps.s04_push_mysql
  - orch.steps.s05_push_support
  - orch.steps.s07_stage_webapp
  - orch.steps.s06_maintenance_on
  - orch.steps.s08_canary
  - orch.steps.s08_go_live
  - orch.steps.s09_maintenance_off
  - orch.steps.reference_copy
  - orch.steps.software_release
  - orch.steps.s10_blog_post
  - orch.steps.s11_release_mail
  - orch.steps.s02_purge_old_releases

begin:
  wb_run.begun:
    - kind: release
    - order: 1

end:
  wb_run.ended:
    - order: last
