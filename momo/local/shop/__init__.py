"""The stand-in for momo購物網: a shop on loopback with the real one's formats, for development, tests and benchmarks.

`DemoShop` is the server, with all that steers it (day, prices, faults, log); `Catalogue` is what it sells on which day,
and the truth that tests compare with. `python -m momo.local.shop` serves it as a process. Nothing here imports Django
or any other room of the project.
"""

from .catalogue import Catalogue, Product, State
from .server import DemoShop

__all__ = ["Catalogue", "DemoShop", "Product", "State"]
