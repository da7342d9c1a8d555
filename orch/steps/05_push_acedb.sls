# Wiki page, step 3.
3 push the AceDB database:
  wb_step.taken:
    - step: push_acedb
