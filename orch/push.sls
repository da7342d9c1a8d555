# The databases of a build travel to the nodes; nothing goes live.
#
#     salt-run state.orch orch.push pillar='{build: WS221}'
include:
  - orch.steps.01_seal
  - orch.steps.02_check_contents
  - orch.steps.03_check_disk_space
  - orch.steps.04_make_parcels
  - orch.steps.05_push_acedb
  - orch.steps.06_push_mysql
  - orch.steps.07_push_support

begin:
  wb_run.begun:
    - kind: push
    - order: 1

end:
  wb_run.ended:
    - order: last
