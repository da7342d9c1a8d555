# Settings that only the nodes that fetch or serve data can read: see pillar/top.sls.
wormbase:

  # How nodes fetch from one another: with rsync over ssh, read-only, as a user of their own. Make
  # the keys with `ssh-keygen -t ed25519 -N '' -f carrier`. Copy the file carrier to private_key and
  # the file carrier.pub to public_key. Without them nothing can be pushed.
  carrier:
    user: wbcarrier
    port: 8022
    private_key: ""
    public_key: ""
