# Wiki page, "Purge old builds".
purge the build:
  wb_step.taken:
    - step: purge_build
