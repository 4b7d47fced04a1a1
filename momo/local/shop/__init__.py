"""A demo shop on loopback that speaks as momo購物網 does: for development, tests and benchmarks."""

from .catalogue import Catalogue, Category, Product
from .days import State
from .server import DemoShop

__all__ = ["Catalogue", "Category", "DemoShop", "Product", "State"]
