"""Credentials that expire: fetching them with the vendors' libraries, and handing them to gateways."""
