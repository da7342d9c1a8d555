# Every node compares what is live on it with the manifests, byte by byte.
verify what is live where it lies:
  wb_step.taken:
    - step: verify_in_place
