"""Between control and machines without one of their own: what is sent, sealed, and how it is asked for."""
