# A build that was pushed goes live, with the webapp in staging.
#
#     salt-run state.orch orch.golive pillar='{build: WS221}'
include:
  - orch.steps.s00_seal
  - orch.steps.s07_stage_webapp
  - orch.steps.s06_maintenance_on
  - orch.steps.s08_canary
  - orch.steps.s08_go_live
  - orch.steps.s09_maintenance_off

begin:
  wb_run.begun:
    - kind: golive
    - order: 1

end:
  wb_run.ended:
    - order: last
