# Before the wiki page's steps: the development server makes the manifest that every node is
# checked against.
0 seal the build:
  wb_step.taken:
    - step: seal
