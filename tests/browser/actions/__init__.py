"""Everything that an admin can do with the rows of the admin, by area."""

from tests.browser.actions.messages import MESSAGES
from tests.browser.actions.products import PRODUCTS
from tests.browser.actions.system import SYSTEM
from tests.browser.actions.vendors import VENDORS
from tests.browser.clicks import Clicks

CLICKS: Clicks = {**PRODUCTS, **SYSTEM, **VENDORS, **MESSAGES}
