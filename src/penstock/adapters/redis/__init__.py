"""Redis or Valkey, stock: the owner of counters that several machines share, and their channels."""
