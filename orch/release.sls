# A release, step by step as on the wiki page "Updating The Production Servers".
#
#     salt-run state.orch orch.release pillar='{build: WS221}'
#
# The steps are taken in the order of this list. None is taken after one that failed, and
# `end` always comes: it puts the site back when the change-over did not pass its checks.
include:
  - orch.steps.01_seal
  - orch.steps.02_check_contents
  - orch.steps.03_check_disk_space
  - orch.steps.04_make_parcels
  - orch.steps.05_push_acedb
  - orch.steps.06_push_mysql
  - orch.steps.07_push_support
  - orch.steps.08_push_webapp
  - orch.steps.09_take_out_of_service
  - orch.steps.10_canary
  - orch.steps.11_go_live
  - orch.steps.12_return_to_service
  - orch.steps.13_copy_reference
  - orch.steps.14_publish_software
  - orch.steps.15_post_blog
  - orch.steps.16_send_mail
  - orch.steps.17_purge_old_releases

begin:
  wb_run.begun:
    - kind: release
    - order: 1

end:
  wb_run.ended:
    - order: last
