# What is in the build is compared with what is live: whole and wrong is not sent anywhere.
0 check the contents of the build:
  wb_step.taken:
    - step: check_contents
