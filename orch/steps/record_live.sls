# The ledger records the release that serves as live and announced.
record what is live:
  wb_step.taken:
    - step: record_live
