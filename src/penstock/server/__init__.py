"""The gateway's HTTP server: sockets, framing, limits, and the table of endpoints."""
