# Wiki page, step 7: the webapp is put beside the live one and started once on a spare port.
7 push the webapp:
  wb_step.taken:
    - step: push_webapp
