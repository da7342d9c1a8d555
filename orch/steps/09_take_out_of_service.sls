# Wiki page, step 6: half of the web nodes leave the pool, or the maintenance page goes up.
6 take web nodes out of service:
  wb_step.taken:
    - step: take_out_of_service
