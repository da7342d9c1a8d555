# Wiki page, step 7; laid beside what serves and started once, before maintenance.
7 push the webapp:
  wb_step.taken:
    - step: stage_webapp
