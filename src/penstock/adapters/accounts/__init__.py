"""Several processes of a machine share accounts over a Unix socket: the holders' end and the owner's."""
