"""Reads files in processes of their own, within bounds of memory and time.

`pool` is the side that asks, `server` the program that forks a process for each file, `work` what such a process does.
Callers use `momo.sheets.bounded`.
"""
