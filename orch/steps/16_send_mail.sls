# Wiki page, step 11.
11 send the release mail:
  wb_step.taken:
    - step: send_mail
