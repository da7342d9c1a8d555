# Back to the release that was live before, data and webapp together.
#
#     salt-run state.orch orch.rollback
include:
  - orch.steps.s06_maintenance_on
  - orch.steps.s08_canary
  - orch.steps.s08_go_live
  - orch.steps.s09_maintenance_off
  - orch.steps.reference_copy
  - orch.steps.software_release

begin:
  wb_run.begun:
    - kind: rollback
    - order: 1

end:
  wb_run.ended:
    - order: last
