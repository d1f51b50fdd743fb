"""The admin API, on Litestar: HTTP around the services of control. Only the control process imports this."""
