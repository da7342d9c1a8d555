# Wiki page, step 9: the other half switches and joins the pool, or the page comes down.
9 return all nodes to service:
  wb_step.taken:
    - step: return_to_service
