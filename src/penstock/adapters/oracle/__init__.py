"""Questions of the gateway to the inference process, over a Unix socket."""
