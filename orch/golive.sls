# A build that was pushed goes live, with the webapp in staging.
#
#     salt-run state.orch orch.golive pillar='{build: WS221}'
include:
  - orch.steps.01_seal
  - orch.steps.08_push_webapp
  - orch.steps.09_take_out_of_service
  - orch.steps.10_canary
  - orch.steps.11_go_live
  - orch.steps.12_return_to_service

begin:
  wb_run.begun:
    - kind: golive
    - order: 1

end:
  wb_run.ended:
    - order: last
