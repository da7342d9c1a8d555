# Before step 8 of the wiki page: half of the web nodes switch and are tried out.
8 try the release out on half of the web nodes:
  wb_step.taken:
    - step: canary
