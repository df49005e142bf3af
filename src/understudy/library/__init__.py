"""The router inside your own program: the same engine as the gateway's, without a socket in between."""
