# Wiki page, step 6.
6 put the site into maintenance mode:
  wb_step.taken:
    - step: maintenance_on
