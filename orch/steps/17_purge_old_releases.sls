# Wiki page, step 2: last in a release, by the rules under wormbase:retention.
2 purge old releases from local and remote nodes:
  wb_step.taken:
    - step: purge_old_releases
