# Wiki page, step 5.
5 push the support databases:
  wb_step.taken:
    - step: push_support
