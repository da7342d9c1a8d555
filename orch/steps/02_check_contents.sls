# Before the wiki page's steps: what is in the build is compared with what is live, so that a
# build that is complete but wrong is sent nowhere.
0 check the contents of the build:
  wb_step.taken:
    - step: check_contents
