"""Personal data by pattern, check digits and the words beside it, under the entity names that Presidio uses."""
