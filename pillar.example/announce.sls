# What only the development server knows: see pillar/top.sls.
wormbase:

  # The letter that announces a release, sent from the development server. Host, sender and
  # recipients have to be set.
  mail:
    host: ""
    port: 25
    starttls: true
    # Without a user name nobody logs in.
    username: ""
    password: ""
    sender: ""
    recipients: []

  # The WordPress blog that announces a release: its address, and a user with an application
  # password.
  blog:
    url: ""
    username: ""
    password: ""
