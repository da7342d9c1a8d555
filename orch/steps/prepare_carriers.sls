# Before a takeover: nodes can fetch manifests, and what has to be repaired.
set up the carriers:
  wb_step.taken:
    - step: prepare_carriers
