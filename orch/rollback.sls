# Back to the release that was live before, data and webapp together.
#
#     salt-run state.orch orch.rollback
include:
  - orch.steps.09_take_out_of_service
  - orch.steps.10_canary
  - orch.steps.11_go_live
  - orch.steps.12_return_to_service
  - orch.steps.13_copy_reference
  - orch.steps.14_publish_software

begin:
  wb_run.begun:
    - kind: rollback
    - order: 1

end:
  wb_run.ended:
    - order: last
