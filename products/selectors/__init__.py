"""Reads of the products domain."""
