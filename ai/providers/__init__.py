"""Clients of the providers of models."""
