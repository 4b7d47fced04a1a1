"""`python -m momo.sheets.process`: the server of reading processes.

openpyxl imports NumPy where it is installed, for types that no cell of ours has: 15 MiB of each reading
process.
"""

import sys

sys.modules["numpy"] = None  # type: ignore[assignment]  # an import of it now fails, which openpyxl expects

from momo.sheets.process.server import main  # noqa: E402

main()
