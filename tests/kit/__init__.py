"""What tests of several rooms share: faults of stand-ins, processes, waiting, users, workbooks."""
