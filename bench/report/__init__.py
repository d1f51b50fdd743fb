"""From records to a table, a JSON document and a chart."""
