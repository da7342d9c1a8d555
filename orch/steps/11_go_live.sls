# Wiki page, step 8: visitors get the new release from the half that has it, or every node
# switches behind the maintenance page.
8 go live:
  wb_step.taken:
    - step: go_live
