"""Reads of the machine, the servers and the freshness of data."""
