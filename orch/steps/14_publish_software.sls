# Wiki page, "Major Releases": tarball on the FTP site, reference copy on the development server.
publish the software release:
  wb_step.taken:
    - step: publish_software
