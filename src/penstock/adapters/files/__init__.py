"""Files of the operating system behind `ports.files`."""
