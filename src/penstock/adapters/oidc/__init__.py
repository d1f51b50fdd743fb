"""What identity providers say over HTTP. Only the control process imports this."""
