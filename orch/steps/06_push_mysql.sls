# Wiki page, step 4.
4 push the MySQL databases that were rebuilt:
  wb_step.taken:
    - step: push_mysql
