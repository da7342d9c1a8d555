# A build is removed, from the nodes or (local: True) from the development server.
#
#     salt-run state.orch orch.purge pillar='{build: WS219}'
include:
  - orch.steps.purge_build

begin:
  wb_run.begun:
    - kind: purge
    - order: 1

end:
  wb_run.ended:
    - order: last
