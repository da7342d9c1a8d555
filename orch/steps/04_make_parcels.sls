# Before the wiki page's step 3: the development server makes the patches by which the build
# travels, once for all nodes.
0 make parcels:
  wb_step.taken:
    - step: make_parcels
