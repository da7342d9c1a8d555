# The development server makes the manifests of what is live, as it is.
seal what is live:
  wb_step.taken:
    - step: seal_live
