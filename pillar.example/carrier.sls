# What only the nodes that fetch or serve data know: see pillar/top.sls.
wormbase:

  # How nodes fetch from one another: rsync in ssh, read-only, as a user of its own. The keys are
  # those of `ssh-keygen -t ed25519 -N '' -f carrier`: the files carrier (private) and
  # carrier.pub (public). Without them nothing can be pushed.
  carrier:
    user: wbcarrier
    port: 8022
    private_key: ""
    public_key: ""
