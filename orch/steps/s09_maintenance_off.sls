# Wiki page, step 9.
9 restore the site to active mode:
  wb_step.taken:
    - step: maintenance_off
