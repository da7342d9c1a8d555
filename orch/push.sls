# The databases of a build travel to the nodes; nothing goes live.
#
#     salt-run state.orch orch.push pillar='{build: WS221}'
include:
  - orch.steps.s00_seal
  - orch.steps.s00_check_contents
  - orch.steps.s01_check_disk_space
  - orch.steps.s00_make_parcels
  - orch.steps.s03_push_acedb
  - orch.steps.s04_push_mysql
  - orch.steps.s05_push_support

begin:
  wb_run.begun:
    - kind: push
    - order: 1

end:
  wb_run.ended:
    - order: last
