# Every node knows the cluster; what only some may know is in files of their own.
base:
  '*':
    - site
