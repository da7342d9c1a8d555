# Wiki page, step 10.
10 make a blog post:
  wb_step.taken:
    - step: post_blog
