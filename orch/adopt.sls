# A cluster that serves already is taken over: nothing is sent that is there, nothing that serves is
# restarted, nothing announced. With test=True it says what it found.
#
#     salt-run state.orch orch.adopt
include:
  - orch.steps.prepare_carriers
  - orch.steps.seal_live
  - orch.steps.verify_in_place
  - orch.steps.record_live
  - orch.steps.apply_states

begin:
  wb_run.begun:
    - kind: adopt
    - order: 1

end:
  wb_run.ended:
    - order: last
