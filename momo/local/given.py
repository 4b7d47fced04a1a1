"""What a database that the environment names holds already: nothing, the demo's data, or somebody's own."""

from __future__ import annotations

import psycopg

from momo.core.environment import Environment
from momo.local.processes import ServiceError
from momo.local.services import DEMO_SIZE
from momo.local.shop import Catalogue

CONNECT_SECONDS = 5
# Tables of which a row means that somebody works with this database.
OURS = ("products_category", "products_product", "jobs_job", "sales_dayowner", "notifications_outboxmessage")
DEMO_OR_REAL = (
    "示範資料不會載入到這個資料庫，示範商店也不會寫入它，什麼都沒有更動。"
    "要用這些資料監看真正的 momo，請加上 DEMO=0（例如 DEMO=0 make run）；要看示範，請改用一個空的資料庫。"
)

_TABLES = """
SELECT c.relname::text FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


def foreign_data(database_url: str) -> str:
    """What speaks against demo data in this database, in words for people; "" when it is empty or has the demo's data.

    The demo's data are known by their categories, whose codes and names are the demo shop's. Raises ServiceError when
    the database does not answer.
    """
    env = Environment({"DATABASE_URL": database_url})
    config = env.database("DATABASE_URL", default=database_url)
    if env.faults:
        return ""  # the settings say what is wrong with it
    place = {"dbname": config["NAME"], "user": config["USER"], "password": config["PASSWORD"], "host": config["HOST"]}
    place |= {"port": config["PORT"], "connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8"}
    try:
        with psycopg.connect(**{name: value for name, value in place.items() if value}, autocommit=True) as connection:
            tables = {name for (name,) in connection.execute(_TABLES)}
            if tables and "django_migrations" not in tables:
                return "有其他程式的資料表。"
            used = [name for name in OURS if name in tables and _has_rows(connection, name)]
            if not used or ("products_category" in used and _is_demo(connection)):
                return ""
    except (psycopg.Error, UnicodeError) as error:
        # Its text has host and user, and never the password.
        raise ServiceError(f"the database of DATABASE_URL does not answer: {str(error).strip()}") from error
    return "已有資料，而且不是示範資料。"


def _has_rows(connection: psycopg.Connection, table: str) -> bool:
    return connection.execute(f"SELECT FROM {table} LIMIT 1").fetchone() is not None


def _is_demo(connection: psycopg.Connection) -> bool:
    known = set(connection.execute("SELECT code, name FROM products_category").fetchall())
    return any((each.code, each.name) in known for each in Catalogue(size=DEMO_SIZE).categories)
