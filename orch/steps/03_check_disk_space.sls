# Wiki page, step 1.
1 check disk space on local and remote nodes:
  wb_step.taken:
    - step: check_disk_space
