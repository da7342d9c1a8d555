# Wiki page, "Major Releases": website/production on the development server shows what is live.
refresh the reference copy:
  wb_step.taken:
    - step: copy_reference
