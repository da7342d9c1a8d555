# Settings that only the development server can read: see pillar/top.sls.
wormbase:

  # The letter that announces a release. The development server sends it. You have to set host,
  # sender and recipients.
  mail:
    host: ""
    port: 25
    starttls: true
    # Without a user name the server is used without a login.
    username: ""
    password: ""
    sender: ""
    recipients: []

  # The WordPress blog that announces a release: its URL, and a user with an application password.
  blog:
    url: ""
    username: ""
    password: ""
