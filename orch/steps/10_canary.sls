# Wiki page, step 8, first part: half of the web nodes switch and are compared with the others.
# Behind the maintenance page there is nobody to compare with, and nothing is done.
8 switch half of the web nodes and compare them:
  wb_step.taken:
    - step: canary
