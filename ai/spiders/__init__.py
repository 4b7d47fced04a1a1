"""What other sites say is popular: parsers that are pure functions, a spider in a child process, YouTube's client.

Nothing in this package imports Django.
"""
