# Nodes that were never brought to their states are, one after the other.
apply the states of the nodes:
  wb_step.taken:
    - step: apply_states
