"""Sans-IO framing: bytes in, events or bytes out; nothing here awaits or owns a socket."""
