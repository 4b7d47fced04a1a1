"""Writes of the products domain: starting runs, crawling shards, applying what was seen, deciding held prices."""
