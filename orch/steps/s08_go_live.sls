# Wiki page, step 8.
8 switch the links and restart the services:
  wb_step.taken:
    - step: go_live
