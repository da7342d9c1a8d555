# The live release is announced, on the blog and by mail.
#
#     salt-run state.orch orch.announce pillar='{build: WS221}'
include:
  - orch.steps.15_post_blog
  - orch.steps.16_send_mail

begin:
  wb_run.begun:
    - kind: announce
    - order: 1

end:
  wb_run.ended:
    - order: last
