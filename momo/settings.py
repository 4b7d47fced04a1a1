"""Settings of MOMO Pro, to be read from top to bottom; values come from the environment or `.env`.

`MOMO_ENV` is `production` by default; `manage.py` and `make run` set `local`, the test suite sets `test`. Production
refuses to start without real servers and secrets. Each value is checked as it is read, and `env.finish()`, at the
end, names all that are wrong or missing. Importing this module starts nothing and writes nothing.
"""

from __future__ import annotations

import gc
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from momo.core.environment import Environment, read_env_file
from notifications.channels.mail_server import read_email_url, tls_context

BASE_DIR = Path(__file__).resolve().parent.parent

# Python looks for cyclic garbage after 700 new objects. A start makes half a million that all stay, migrations many
# more: with this number a start takes four fifths of its time, and migrations two thirds.
gc.set_threshold(50_000, 20, 20)

read_env_file()
env = Environment()

# --- Environment ----------------------------------------------------------------------------------------------------

MOMO_ENV = env.choice("MOMO_ENV", default="production", of=("production", "local", "test"))
LOCAL = MOMO_ENV != "production"
# Whether the demo shop stands in for momo. Nothing else keeps a local machine from the real shop.
DEMO = MOMO_ENV == "local" and env.bool("DEMO", default=True) and not env("MOMO_SHOP_URL")
_local_dir = BASE_DIR / ".local" / ("demo" if DEMO or not LOCAL else "live")
LOCAL_DIR = Path(env.path("MOMO_LOCAL_DIR", default=_local_dir, example=".local/demo"))


def _local_state() -> dict[str, str]:
    """Addresses of the embedded servers that `momo.local` started; empty in production."""
    path = LOCAL_DIR / "services.json"
    if not LOCAL or not path.is_file():
        return {}
    state: dict[str, str] = json.loads(path.read_text())
    return state


_local = _local_state()


if not LOCAL:
    env.require(
        {
            "SECRET_KEY": "$(python -c 'import secrets; print(secrets.token_urlsafe(60))')",
            "ALLOWED_HOSTS": "mo.wooo.work",
            "DATABASE_URL": "postgresql://user:password@host:5432/momo",
            "REDIS_URL": "redis://host:6379",
        }
    )
DEBUG = env.bool("DEBUG", default=False)  # off locally too: `make run` shows the error pages that users see
SECRET_KEY = env(
    "SECRET_KEY",
    default=_local.get("secret_key", "local-only-not-a-secret-" + "0" * 40),
    needed="50 characters or more on one line",
    example="…",
    secret=True,
)
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=["localhost", "127.0.0.1", "[::1]", "testserver"] if LOCAL else [],
    form=r"\*|\[[0-9A-Fa-f:.]+\]|\.?[^\s:/\[\]*]+",
    needed="names of hosts, without https:// and port",
    example="mo.wooo.work",
)
if not LOCAL:
    if DEBUG:
        env.add_fault("DEBUG is on; production does not start with it (set DEBUG=0)")
    if len(SECRET_KEY) < 50 or (SECRET_KEY.startswith("local-only") and "SECRET_KEY" in env.given):
        env.add_fault(
            "SECRET_KEY is a default or shorter than 50 characters; make a random one, for example with "
            "python -c 'import secrets; print(secrets.token_urlsafe(60))'"
        )

PORT = env.int("PORT", default=5000, least=1, most=65_535)
PUBLIC_URL = env.url("PUBLIC_URL", default=f"http://localhost:{PORT}" if LOCAL else "https://mo.wooo.work")

# --- Applications ---------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # unfold's default config would replace our admin site
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "momo.admin.site.MomoAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "django_celery_beat",
    "axes",
    "auditlog",
    "accounts",
    "momo.saved_views",
    "notifications",
    "momo.todo",
    "momo.jobs",
    "products",
    "sales",
    "vendors",
    "ai",
    "momo.system",
    "momo.reports",
    "bot",
    "momo.admin.packages",  # after the apps whose admin pages it replaces
]

MIDDLEWARE = [
    "momo.rest.middleware.RequestIdMiddleware",
    "momo.rest.headers.HeadersMiddleware",
    # /health and /metrics: no session, no database, any host name, no redirect to https.
    "momo.system.middleware.ProbesMiddleware",
    "momo.system.middleware.MetricsMiddleware",
    "momo.rest.middleware.CompressPagesMiddleware",
    # Before all others, since below /api it turns their failures into the envelope.
    "momo.rest.middleware.ApiErrorMiddleware",
    "momo.rest.middleware.CharsetMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.SessionLifetimeMiddleware",
    "django.middleware.common.CommonMiddleware",
    "momo.rest.middleware.CrossSiteMiddleware",
    # Login, logout and API views are exempt from Django's check; CrossSiteMiddleware replaces it there.
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.SessionUserMiddleware",
    "accounts.middleware.PasswordChangeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "momo.urls"
WSGI_APPLICATION = "momo.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"display": "momo.admin.kit.display", "momo_figures": "momo.admin.kit.figures"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database, cache, broker ----------------------------------------------------------------------------------------

_database = env.database("DATABASE_URL", default=_local.get("database_url", "postgresql://momo@127.0.0.1:5432/momo"))
_database["ENGINE"] = "django.db.backends.postgresql"
# Prepared statements, planned once for each connection. Off behind a pooler in transaction mode.
_prepare = env.bool("DATABASE_PREPARE", default=True)
_pool_size = env.int("DATABASE_POOL_SIZE", default=0, most=1000, unit="connections")
_database["OPTIONS"] = {
    "connect_timeout": 5,
    "application_name": "momo",
    "prepare_threshold": 5 if _prepare else None,
    **_database.get("OPTIONS", {}),
}
if _pool_size:
    # For web threads; forked Celery workers keep one connection each instead.
    _database["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": _pool_size,
        # While the server is down, requests fail after `timeout`; they work again as soon as it is back.
        "timeout": 3,
        "reconnect_timeout": 2,
    }
else:
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
# A cursor of the server belongs to a session, which such a pooler shares: lists of choices are read by one outside
# of transactions.
_database["DISABLE_SERVER_SIDE_CURSORS"] = not _prepare
# Connections use Asia/Taipei, so dates and JSON made in PostgreSQL need no conversion.
_database["TIME_ZONE"] = "Asia/Taipei"
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.url(
    "REDIS_URL",
    default=_local.get("redis_url", "redis://127.0.0.1:6379"),
    schemes=("redis", "rediss"),
    example="redis://host:6379",
    secret=True,
)
REDIS_FIRST_DATABASE = env.int(
    "REDIS_FIRST_DATABASE", default=0, most=10_000
)  # of the broker; the cache uses the next one


def redis_database(number: int) -> str:
    """`REDIS_URL` with a database number, unless it contains one already."""
    parts = urlsplit(REDIS_URL)
    if parts.path.strip("/"):
        return REDIS_URL
    return urlunsplit(parts._replace(path=f"/{REDIS_FIRST_DATABASE + number}"))


CACHES = {
    "default": {
        "BACKEND": "django_prometheus.cache.backends.redis.RedisCache",  # django-redis's, which counts hits
        "LOCATION": redis_database(1),
        "KEY_PREFIX": env(
            "CACHE_PREFIX", default="momo", form="[!-~]{1,50}", needed="up to 50 letters, digits and signs"
        ),
        "OPTIONS": {
            "REDIS_CLIENT_CLASS": "momo.core.cache.CacheClient",
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
            # While Redis is down, requests work without the cache and a warning is logged.
            "IGNORE_EXCEPTIONS": True,
            "LOG_IGNORED_EXCEPTIONS": True,
        },
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True

# --- Users and sessions ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/admin/"
LOGOUT_REDIRECT_URL = "/login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_SECURE = not DEBUG and MOMO_ENV != "local"  # `make run` serves http
SESSION_COOKIE_AGE = env.int("SESSION_IDLE_SECONDS", default=8 * 3600, least=60, most=31_536_000, unit="seconds")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS",
    default=[],
    form=r"https?://[^\s/]+",
    needed="addresses that begin with https:// or http:// and end with the host",
    example="https://intranet.wooo.work",
)
# Number of our proxies that each request passes; see `momo.core.address`.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0 if LOCAL else 1, most=20, unit="proxies")

# By default 5 failures of one name from one address lock that pair out for 15 minutes.
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=5, least=1, most=1000)
AXES_COOLOFF_TIME = timedelta(
    minutes=env.int("LOGIN_LOCKOUT_MINUTES", default=15, least=1, most=10_080, unit="minutes")
)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "momo.core.address.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.views.lockout_response"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # `accounts` has its own login history
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AUDITLOG_CID_GETTER = "momo.core.context.request_id"
# For `manage.py ensure_admin`, which reads it.
env("MOMO_ADMIN_PASSWORD", form=r".{8,}", needed="a password of 8 characters or more", example="…", secret=True)
LOGIN_HISTORY_DAYS = env.int("LOGIN_HISTORY_DAYS", default=365, least=1, most=36_500, unit="days")
# The audit trail, restarts of deployments and clean-ups.
AUDIT_KEEP_DAYS = env.int("AUDIT_KEEP_DAYS", default=1825, least=31, most=36_500, unit="days")

# --- Security -------------------------------------------------------------------------------------------------------

if not LOCAL:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 3600, most=3_153_600_000, unit="seconds")
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# --- REST -----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["momo.rest.permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["momo.rest.renderers.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["momo.rest.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "momo.rest.renderers.LenientNegotiation",
    "DEFAULT_THROTTLE_CLASSES": ["momo.rest.throttles.ScopeThrottle"],
    # Requests of one token, user or address; empty is no limit.
    "DEFAULT_THROTTLE_RATES": {
        "default": env.rate("RATE_DEFAULT", default="3000/min"),
        "login": env.rate("RATE_LOGIN", default="60/min"),
        "ai": env.rate("RATE_AI", default="30/min"),
        "check": env.rate("RATE_CHECK", default="120/min"),
        "send": env.rate("RATE_SEND", default="60/min"),
        "answer": env.rate("RATE_ANSWER", default="60/min"),
        "view": env.rate("RATE_VIEW", default="30/min"),
    },
    "DEFAULT_SCHEMA_CLASS": "momo.rest.schema.AutoSchema",
    "EXCEPTION_HANDLER": "momo.rest.errors.exception_handler",
    # `format` is a documented parameter of exports, not a way to choose a renderer.
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "MOMO Pro",
    "DESCRIPTION": "momo購物網賣家後台的 REST API。時間為 Asia/Taipei，金額為新台幣整數元。",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobStatusEnum": "momo.jobs.models.Job.Status",
        "CrawlStatusEnum": "products.models.CrawlRun.Status",
        "TemplateFormatEnum": "notifications.models.Format",
        "JobSourceEnum": "momo.jobs.models.Job.Source",
        "TrendSourceEnum": "ai.models.TrendCategory.Source",
        "AddressKindEnum": "vendors.models.VendorAddress.Kind",
        "GenerationKindEnum": "ai.models.Call.Kind",
        "WatchKindEnum": "products.models.Watch.Kind",
        "AlarmKindEnum": "sales.models.Alarm.Kind",
        "AlarmDimensionEnum": "sales.models.Alarm.Dimension",
        "CampaignKindEnum": "sales.models.Campaign.Kind",
        "TargetDimensionEnum": "sales.models.targets.DIMENSIONS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.api.login.describe_login",
    ],
}

# --- Celery ---------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = redis_database(0)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 3, "socket_connect_timeout": 3}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "products.crawl_shard": {"queue": "crawl"},
    "products.tell": {"queue": "messages"},
    "jobs.run": {"queue": "imports"},
    "jobs.drive_sync": {"queue": "imports"},
    "notifications.*": {"queue": "messages"},
    "bot.*": {"queue": "bot"},
}
# One retry, over a new connection: each connection that is not answered costs `socket_timeout`.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.5}
CELERY_TIMEZONE = "Asia/Taipei"
CELERY_BEAT_SCHEDULER = "momo.system.beat:ClaimingScheduler"
CELERY_RESULT_EXPIRES = None  # there are no results; else beat adds a schedule that deletes old ones
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Touched with every heartbeat of a worker, for what restarts its container.
WORKER_HEARTBEAT_FILE = env(
    "WORKER_HEARTBEAT_FILE",
    form="/.+",
    needed="the whole path of a file",
    example="/tmp/heartbeat",  # noqa: S108
)
# After SIGTERM tasks may end within this time; then they are given back. Less than a container has to stop.
WORKER_STOP_SECONDS = env.float("WORKER_STOP_SECONDS", default=25, least=0.1, most=86_400, unit="seconds")

# --- Language, time, files ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hant"
TIME_ZONE = "Asia/Taipei"
LOCALE_PATHS = [BASE_DIR / "momo" / "locale", BASE_DIR / "momo" / "rest" / "locale"]
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.path("STATIC_ROOT", default=BASE_DIR / "staticfiles", example="/srv/momo/static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
_media = LOCAL_DIR / "media" if LOCAL else BASE_DIR / "media"
MEDIA_ROOT = Path(env.path("MEDIA_ROOT", default=_media, example="/srv/momo/media"))
WHITENOISE_USE_FINDERS = LOCAL
WHITENOISE_AUTOREFRESH = LOCAL  # else each new handler scans all static files, and tests make thousands of handlers
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if LOCAL
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# --- Logging --------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", of=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
# One JSON object a line for programs that collect logs, or text for a terminal; gunicorn.conf.py reads it too.
LOG_FORMAT = env.choice("LOG_FORMAT", default="text" if LOCAL else "json", of=("json", "text"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "momo.core.logs.ContextFilter"}},
    "formatters": {
        "json": {"()": "momo.core.logs.JsonLines"},
        "text": {"()": "momo.core.logs.TextFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["context"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # With Django's own handlers each line would appear twice.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "httpx": {"level": "WARNING"},
        # At DEBUG it logs request headers, tokens included.
        "google": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        # At DEBUG they log each URL; Telegram's contain the bot's token.
        "telegram": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}

# --- momo and the crawl ---------------------------------------------------------------------------------------------

# The demo shop's address is known once `momo.local` has started it; until then, and where it must not be used, nothing
# answers at this one, so that no crawl reaches the real shop by accident.
_shop = _local.get("shop_url", "http://demo-shop.invalid") if DEMO else "https://www.momoshop.com.tw"
MOMO_SHOP_URL = env.url("MOMO_SHOP_URL", default=_shop)
CRAWL_USER_AGENT = env(
    "CRAWL_USER_AGENT",
    default=f"MOMOPro/1.0 (+{PUBLIC_URL})",
    form="[ -~]{1,200}",
    needed="up to 200 ASCII characters, as HTTP demands",
)
CRAWL_SHARDS = env.int("CRAWL_SHARDS", default=4, least=1, most=64, unit="tasks")
# Parallel requests of a shard, and seconds between two of them; the stand-in on loopback needs no pauses.
CRAWL_CONCURRENCY = env.int("CRAWL_CONCURRENCY", default=2, least=1, most=64, unit="requests")
CRAWL_DELAY = env.float("CRAWL_DELAY", default=0.0 if DEMO else 0.5, most=3600, unit="seconds")
CRAWL_AUTOTHROTTLE = env.bool("CRAWL_AUTOTHROTTLE", default=not DEMO)
CRAWL_ROBOTS = env.bool("CRAWL_ROBOTS", default=True)
CRAWL_TIMEOUT = env.float("CRAWL_TIMEOUT", default=30, least=0.1, most=600, unit="seconds")  # a request
CRAWL_RETRY_TIMES = env.int("CRAWL_RETRY_TIMES", default=3, most=20)
# The longest Retry-After that is obeyed, and the wait before the first retry.
CRAWL_RETRY_AFTER_CAP = env.int("CRAWL_RETRY_AFTER_CAP", default=120, most=86_400, unit="seconds")
CRAWL_BACKOFF = env.float("CRAWL_BACKOFF", default=1.0, most=3600, unit="seconds")
CRAWL_MAX_PAGES = env.int("CRAWL_MAX_PAGES", default=200, least=1, most=100_000, unit="pages")  # a category
CRAWL_MAX_MISSING_PERCENT = env.int("CRAWL_MAX_MISSING_PERCENT", default=20, most=100, unit="percent", staff=True)
# Fewer missing products are never suspect.
CRAWL_MIN_MISSING = env.int("CRAWL_MIN_MISSING", default=3, most=1_000_000, unit="products", staff=True)
# Pages of unlisted goods that a run asks for, of a category; and equal findings until a suspect category is believed.
CRAWL_MAX_LOOKUPS = env.int("CRAWL_MAX_LOOKUPS", default=50, least=1, most=100_000, unit="pages")
CRAWL_SUSPECT_RUNS = env.int("CRAWL_SUSPECT_RUNS", default=6, least=1, most=1000, unit="runs", staff=True)
CRAWL_MAX_UNREAD_PERCENT = env.int("CRAWL_MAX_UNREAD_PERCENT", default=20, most=100, unit="percent", staff=True)
# Between two notifications of an open alert; 0 for never.
CRAWL_REMIND_DAYS = env.int("CRAWL_REMIND_DAYS", default=3, most=365, unit="days", staff=True)
# Errors and results by category of runs; events of products. Runs and prices stay for ever.
CRAWL_KEEP_DAYS = env.int("CRAWL_KEEP_DAYS", default=365, least=31, most=36_500, unit="days")
PRICE_EVENT_KEEP_DAYS = env.int("PRICE_EVENT_KEEP_DAYS", default=1095, least=62, most=36_500, unit="days")
DELIST_AFTER_MISSES = env.int("DELIST_AFTER_MISSES", default=3, least=1, most=1000, unit="runs", staff=True)
QUARANTINE_JUMP_PERCENT = env.int(
    "QUARANTINE_JUMP_PERCENT", default=60, least=1, most=100_000, unit="percent", staff=True
)
QUARANTINE_LIST_PERCENT = env.int("QUARANTINE_LIST_PERCENT", default=5, most=100, unit="percent", staff=True)
# Silence until a shard is taken over, and until a run is closed.
CRAWL_HEARTBEAT_TIMEOUT = env.float("CRAWL_HEARTBEAT_TIMEOUT", default=60, least=1, most=86_400, unit="seconds")
CRAWL_LOST_AFTER = env.float("CRAWL_LOST_AFTER", default=900, least=1, most=604_800, unit="seconds")
CRAWL_SHARD_ATTEMPTS = env.int("CRAWL_SHARD_ATTEMPTS", default=5, least=1, most=1000)
# Of the spider's child process.
CRAWL_SHARD_TIMEOUT = env.int("CRAWL_SHARD_TIMEOUT", default=3600, least=1, most=604_800, unit="seconds")
# Initial schedule; staff can change it.
CRAWL_INTERVAL_HOURS = env.int("CRAWL_INTERVAL_HOURS", default=2, least=1, most=8760, unit="hours")
PRICE_CHANGE_WINDOW_HOURS = env.int(
    "PRICE_CHANGE_WINDOW_HOURS", default=24, least=1, most=8760, unit="hours", staff=True
)
# A sheet has 1,048,576, its header included.
EXPORT_MAX_ROWS = env.int("EXPORT_MAX_ROWS", default=1_000_000, least=1, most=1_048_575, unit="rows")
SESSION_MAX_AGE = timedelta(days=env.int("SESSION_MAX_DAYS", default=7, least=1, most=3650, unit="days"))

# --- Trends ---------------------------------------------------------------------------------------------------------


def _trend_site(site: str) -> str:
    """A demo asks none of the real sites by accident: nothing answers at this address."""
    return "http://demo-trends.invalid" if DEMO else site


MYBEST_URL = env.url("MYBEST_URL", default=_trend_site("https://tw.my-best.com"))
COSME_URL = env.url("COSME_URL", default=_trend_site("https://www.cosme.net.tw"))
YOUTUBE_API_URL = env.url("YOUTUBE_API_URL", default=_trend_site("https://www.googleapis.com"))
YOUTUBE_API_KEY = env(
    "YOUTUBE_API_KEY",
    form="[A-Za-z0-9_-]{10,200}",
    needed="an API key of Google Cloud",
    example="AIzaSy…",
    secret=True,
)
TREND_ITEMS = env.int("TREND_ITEMS", default=50, least=1, most=50, unit="entries")  # kept of a list
TREND_DELAY = env.float("TREND_DELAY", default=2.0, most=3600, unit="seconds")  # between two requests
TREND_TIMEOUT = env.float("TREND_TIMEOUT", default=30, least=0.1, most=600, unit="seconds")  # a request
TREND_SOURCE_TIMEOUT = env.int("TREND_SOURCE_TIMEOUT", default=600, least=1, most=86_400, unit="seconds")
TREND_STALE_HOURS = env.int("TREND_STALE_HOURS", default=48, least=1, most=8760, unit="hours", staff=True)
TREND_VIDEO_DAYS = env.int("TREND_VIDEO_DAYS", default=30, least=1, most=365, unit="days")  # since they were published
# The last list of a category that is switched off.
TREND_KEEP_DAYS = env.int("TREND_KEEP_DAYS", default=90, least=1, most=36_500, unit="days")

# --- Imports and Drive ----------------------------------------------------------------------------------------------

_MIB = 1024 * 1024
# A file as it is uploaded, and what it may become unpacked.
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=50 * _MIB, least=1024, most=10_240 * _MIB, unit="bytes")
IMPORT_MAX_UNPACKED_BYTES = env.int(
    "IMPORT_MAX_UNPACKED_BYTES", default=600 * _MIB, least=1024, most=102_400 * _MIB, unit="bytes"
)
IMPORT_MAX_ROWS = env.int("IMPORT_MAX_ROWS", default=300_000, least=1, most=10_000_000, unit="rows")
IMPORT_MAX_COLUMNS = env.int("IMPORT_MAX_COLUMNS", default=200, least=1, most=16_384, unit="columns")
IMPORT_MAX_ERRORS = env.int("IMPORT_MAX_ERRORS", default=10_000, least=1, most=1_000_000, unit="errors")  # a job
# What reading one file may take in its own process, beyond that process's libraries, and until it is stopped.
SHEET_MEMORY_MIB = env.int("SHEET_MEMORY_MIB", default=1024, least=64, most=1_048_576, unit="MiB")
SHEET_SECONDS = env.float("SHEET_SECONDS", default=120, least=1, most=86_400, unit="seconds")
# Of a day's rows or amount: an import that takes away more needs a confirmation.
IMPORT_LOSS_PERCENT = env.int("IMPORT_LOSS_PERCENT", default=30, most=100, unit="percent", staff=True)
# Silence until a job is taken over.
IMPORT_HEARTBEAT_TIMEOUT = env.float("IMPORT_HEARTBEAT_TIMEOUT", default=60, least=1, most=86_400, unit="seconds")
IMPORT_ATTEMPTS = env.int("IMPORT_ATTEMPTS", default=3, least=1, most=1000)
IMPORT_KEEP_DAYS = env.int("IMPORT_KEEP_DAYS", default=90, least=1, most=36_500, unit="days")  # uploaded files
GOOGLE_SERVICE_ACCOUNT_FILE = env.path(
    "GOOGLE_SERVICE_ACCOUNT_FILE", default="", file=True, example="/run/secrets/google.json"
)
GOOGLE_DRIVE_URL = env.url("GOOGLE_DRIVE_URL", default="https://www.googleapis.com")
GOOGLE_DRIVE_FOLDER_ID = env(
    "GOOGLE_DRIVE_FOLDER_ID",
    form="[A-Za-z0-9_-]{1,200}",
    needed="the last part of the folder's address",
    example="1AbCdEfGhIjKlMnOpQrStUvWxYz",
)
GOOGLE_DRIVE_TIMEOUT = env.float("GOOGLE_DRIVE_TIMEOUT", default=30, least=0.1, most=600, unit="seconds")  # a request
GOOGLE_DRIVE_RETRIES = env.int("GOOGLE_DRIVE_RETRIES", default=4, most=20)
# Before the first retry, then doubled.
GOOGLE_DRIVE_BACKOFF = env.float("GOOGLE_DRIVE_BACKOFF", default=1.0, most=3600, unit="seconds")

# --- Messages -------------------------------------------------------------------------------------------------------

EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=30, least=0.1, most=600, unit="seconds")  # one step of handing over
# smtp://, smtp+tls:// (STARTTLS) or smtps://user:password@host:port. Without one mails stay in the outbox, unsent.
EMAIL_URL = env.checked(
    "EMAIL_URL",
    lambda url: read_email_url(url, timeout=EMAIL_TIMEOUT),
    example="smtp+tls://user:password@mail.example.com",
)
_mailbox = r"[^\s<>@]+@[^\s<>@]+|[^<>@]*<[^\s<>@]+@[^\s<>@]+>"
EMAIL_FROM = env(
    "EMAIL_FROM",
    default=f"MOMO Pro <no-reply@{urlsplit(PUBLIC_URL).hostname}>",
    form=_mailbox,
    needed="an address, with or without a name before it",
)
EMAIL_REPLY_TO = env("EMAIL_REPLY_TO", form=_mailbox, needed="an address", example="sales@wooo.work")
# PEM, a private authority in the place of the system's.
EMAIL_CA_FILE = env.checked("EMAIL_CA_FILE", tls_context, example="/etc/ssl/mail-authority.pem")
TELEGRAM_BOT_TOKEN = env(
    "TELEGRAM_BOT_TOKEN",
    form="[0-9]+:[A-Za-z0-9_-]+",
    needed="the bot's token as BotFather gives it",
    example="123456789:AbC-dEf",
    secret=True,
)
TELEGRAM_API_URL = env.url("TELEGRAM_API_URL", default="https://api.telegram.org")
# Where messages without a chat go.
TELEGRAM_CHAT_ID = env(
    "TELEGRAM_CHAT_ID",
    form=r"-?[1-9][0-9]{0,18}|@[A-Za-z][A-Za-z0-9_]{3,31}",
    needed="the number of a chat, or the @name of a channel",
    example="-1001234567890",
)
# What Telegram sends with each update; without it the webhook takes none.
TELEGRAM_WEBHOOK_SECRET = env(
    "TELEGRAM_WEBHOOK_SECRET",
    form="[A-Za-z0-9_-]{16,256}",
    needed="16 to 256 letters, digits, _ and -",
    example="…",
    secret=True,
)
# Silence until an update is taken over, and how often it is tried; how long updates and buttons are kept.
BOT_HEARTBEAT_TIMEOUT = env.float("BOT_HEARTBEAT_TIMEOUT", default=30, least=1, most=86_400, unit="seconds")
BOT_ATTEMPTS = env.int("BOT_ATTEMPTS", default=3, least=1, most=1000)
BOT_KEEP_DAYS = env.int("BOT_KEEP_DAYS", default=30, least=2, most=36_500, unit="days")
TELEGRAM_TIMEOUT = env.float("TELEGRAM_TIMEOUT", default=20, least=0.1, most=600, unit="seconds")  # a request
# Of all workers together.
TELEGRAM_PER_SECOND = env.float("TELEGRAM_PER_SECOND", default=30, least=0.01, most=1_000_000, unit="messages")
# Between two messages to a person, and to a group.
TELEGRAM_CHAT_SECONDS = env.float("TELEGRAM_CHAT_SECONDS", default=1, most=3600, unit="seconds")
TELEGRAM_GROUP_SECONDS = env.float("TELEGRAM_GROUP_SECONDS", default=3, most=3600, unit="seconds")
# Silence until a sender counts as dead.
OUTBOX_CLAIM_TIMEOUT = env.float("OUTBOX_CLAIM_TIMEOUT", default=300, least=1, most=86_400, unit="seconds")
# A message that never got through fails then.
OUTBOX_GIVE_UP_HOURS = env.int("OUTBOX_GIVE_UP_HOURS", default=48, least=1, most=8760, unit="hours")
# Before the second attempt, then doubled.
OUTBOX_BACKOFF = env.float("OUTBOX_BACKOFF", default=10, most=86_400, unit="seconds")
OUTBOX_KEEP_DAYS = env.int("OUTBOX_KEEP_DAYS", default=180, least=1, most=36_500, unit="days")  # messages that are over
# Products in a digest's text; more are in its workbook. Older events are no news any more.
DIGEST_MAX_LINES = env.int("DIGEST_MAX_LINES", default=20, least=1, most=50, unit="products", staff=True)
DIGEST_MAX_AGE_HOURS = env.int("DIGEST_MAX_AGE_HOURS", default=24, least=1, most=8760, unit="hours", staff=True)

# --- Vendors --------------------------------------------------------------------------------------------------------

# How long a vendor may answer under the link of a mail.
VENDOR_LINK_DAYS = env.int("VENDOR_LINK_DAYS", default=14, least=1, most=365, unit="days", staff=True)
# Alarms about a day's sales: how far from the median of the same weekdays, the least amount that is worth one, days
# without a sale of a best-seller (0: never), the lowest margin, and a jump of a product's cost.
ALARM_PERCENT = env.int("ALARM_PERCENT", default=30, least=1, most=1000, unit="percent", staff=True)
ALARM_MIN_AMOUNT = env.int("ALARM_MIN_AMOUNT", default=10_000, most=1_000_000_000, unit="dollars", staff=True)
ALARM_SILENT_DAYS = env.int("ALARM_SILENT_DAYS", default=3, most=14, unit="days", staff=True)
ALARM_MARGIN_PERCENT = env.int("ALARM_MARGIN_PERCENT", default=5, most=100, unit="percent", staff=True)
ALARM_COST_PERCENT = env.int("ALARM_COST_PERCENT", default=20, least=1, most=1000, unit="percent", staff=True)
# Without an answer: until a vendor is reminded, and until somebody above is written to; 0 for never.
VENDOR_REMIND_DAYS = env.int("VENDOR_REMIND_DAYS", default=3, most=365, unit="days", staff=True)
VENDOR_ESCALATE_DAYS = env.int("VENDOR_ESCALATE_DAYS", default=7, most=365, unit="days", staff=True)
# Where it goes for vendors without an address of their own for it.
VENDOR_ESCALATION_TO = env(
    "VENDOR_ESCALATION_TO", form=r"[^\s<>@]+@[^\s<>@]+", needed="an address", example="buyer-lead@wooo.work"
)
# A file that a vendor sends with an answer.
VENDOR_ATTACHMENT_BYTES = env.int(
    "VENDOR_ATTACHMENT_BYTES", default=5 * _MIB, least=1024, most=100 * _MIB, unit="bytes"
)
# Silence until a sending is taken over.
VENDOR_HEARTBEAT_TIMEOUT = env.float("VENDOR_HEARTBEAT_TIMEOUT", default=60, least=1, most=86_400, unit="seconds")
VENDOR_ATTEMPTS = env.int("VENDOR_ATTEMPTS", default=5, least=1, most=1000)
# Mails with their answers, and files of answers, once all of their stockouts are resolved.
VENDOR_MAIL_KEEP_DAYS = env.int("VENDOR_MAIL_KEEP_DAYS", default=730, least=1, most=36_500, unit="days")
VENDOR_ATTACHMENT_KEEP_DAYS = env.int("VENDOR_ATTACHMENT_KEEP_DAYS", default=365, least=1, most=36_500, unit="days")

# --- AI -------------------------------------------------------------------------------------------------------------

_model: dict[str, Any] = {"form": "[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}", "needed": "the name of a model"}
OLLAMA_URL = env.url("OLLAMA_URL", default="http://localhost:11434")
OLLAMA_MODEL = env("OLLAMA_MODEL", default="llama3:70b", **_model)
# Of prompt and answer together. Ollama cuts a longer prompt at its front.
OLLAMA_NUM_CTX = env.int("OLLAMA_NUM_CTX", default=8192, least=512, most=10_000_000, unit="tokens")
GEMINI_URL = env.url("GEMINI_URL", default="https://generativelanguage.googleapis.com")
GEMINI_API_KEY = env("GEMINI_API_KEY", form="[!-~]{8,200}", needed="an API key", example="AIza…", secret=True)
GEMINI_MODEL = env("GEMINI_MODEL", default="gemini-3.8-flash", **_model)
# A generation with all its retries, and what each text may become, thinking included.
AI_TIMEOUT = env.float("AI_TIMEOUT", default=300, least=0.1, most=3600, unit="seconds")
AI_MAX_OUTPUT_TOKENS = env.int("AI_MAX_OUTPUT_TOKENS", default=4096, least=16, most=1_000_000, unit="tokens")
# Generations at once in a process of the web server; each takes one of its threads.
AI_MAX_STREAMS = env.int("AI_MAX_STREAMS", default=50, least=1, most=10_000, unit="generations")
# Providers that stand in for the other one when it fails.
AI_FALLBACK = env.list(
    "AI_FALLBACK", default=[], form="ollama|gemini", needed="ollama, gemini or both", example="gemini"
)
# Of a month's budget; beyond it answers warn.
AI_BUDGET_WARN_PERCENT = env.int("AI_BUDGET_WARN_PERCENT", default=80, least=1, most=100, unit="percent", staff=True)
# Silence until a generation counts as dead, and its reservation is released; it reports every 10 s.
AI_HEARTBEAT_TIMEOUT = env.float("AI_HEARTBEAT_TIMEOUT", default=120, least=30, most=86_400, unit="seconds")
# Copy that is nobody's favourite, and answers of the search, which Google's terms let us keep for six months.
AI_COPY_KEEP_DAYS = env.int("AI_COPY_KEEP_DAYS", default=365, least=1, most=36_500, unit="days")
AI_SEARCH_KEEP_DAYS = env.int("AI_SEARCH_KEEP_DAYS", default=180, least=1, most=180, unit="days")
# Single calls; their sums by day stay. Budgets add up the calls of the month.
AI_CALL_KEEP_DAYS = env.int("AI_CALL_KEEP_DAYS", default=365, least=62, most=36_500, unit="days")

# --- Charts ---------------------------------------------------------------------------------------------------------

# The font of charts that the server draws; by default a Chinese one that is installed.
CHART_FONT = env(
    "CHART_FONT", form=r"\w[\w .'-]{0,99}", needed="the name of an installed font", example="Noto Sans CJK TC"
)

# --- Clean-up and Kubernetes ----------------------------------------------------------------------------------------

# How long a request deletes before a worker goes on.
CLEANUP_REQUEST_SECONDS = env.float("CLEANUP_REQUEST_SECONDS", default=20, least=0, most=300, unit="seconds")
# Silence until a clean-up or the watch over a restart is taken over.
SYSTEM_HEARTBEAT_TIMEOUT = env.float("SYSTEM_HEARTBEAT_TIMEOUT", default=60, least=1, most=86_400, unit="seconds")
SYSTEM_ATTEMPTS = env.int("SYSTEM_ATTEMPTS", default=10, least=1, most=1000)
# Deployments that admins may restart.
_label: dict[str, Any] = {"form": "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"}
K8S_DEPLOYMENTS = env.list(
    "K8S_DEPLOYMENTS", default=["momo-app"], **_label, needed="names of deployments", example="momo-app,momo-worker"
)
K8S_NAMESPACE = env("K8S_NAMESPACE", default="momo", **_label, needed="the name of a namespace")
# Where there is no service account of a pod; without it, the file that kubectl reads.
K8S_CONFIG_FILE = env.path("K8S_CONFIG_FILE", default="", file=True, example="/home/momo/.kube/config")
K8S_TIMEOUT = env.float("K8S_TIMEOUT", default=5, least=0.1, most=60, unit="seconds")  # a request
ROLLOUT_TIMEOUT = env.int("ROLLOUT_TIMEOUT", default=600, least=1, most=86_400, unit="seconds")  # until pods are ready

# --- Operation ------------------------------------------------------------------------------------------------------

# The oldest that prices and days of sales may be before the start page and an alert say so; 0 for never.
PRICES_FRESH_HOURS = env.int("PRICES_FRESH_HOURS", default=6, most=8760, unit="hours", staff=True)
SALES_FRESH_HOURS = env.int("SALES_FRESH_HOURS", default=36, most=8760, unit="hours", staff=True)
# Who may read /metrics: these networks, or whoever has the token.
METRICS_NETWORKS = env.networks(
    "METRICS_NETWORKS", default=["127.0.0.0/8", "::1"] if LOCAL else [], example="10.42.0.0/16"
)
METRICS_TOKEN = env(
    "METRICS_TOKEN", form="[!-~]{16,200}", needed="16 to 200 letters, digits and signs", example="…", secret=True
)
# Of the histograms of requests and queries, in seconds.
PROMETHEUS_LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, float("inf"))

# --- Admin ----------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "MOMO Pro",
    "SITE_HEADER": "MOMO Pro",
    "SITE_SUBHEADER": "momo購物網賣家後台",
    "SITE_SYMBOL": "storefront",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"redirect_after": "/admin/"},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "momo.admin.site.navigation"},
    "DASHBOARD_CALLBACK": "momo.admin.site.dashboard",
    "COLORS": {
        "primary": {
            "50": "oklch(97.1% .014 343.2)",
            "100": "oklch(94.8% .028 342.3)",
            "200": "oklch(89.9% .061 343.2)",
            "300": "oklch(82.3% .12 346)",
            "400": "oklch(71.8% .202 349.8)",
            "500": "oklch(65.6% .241 354.3)",
            "600": "oklch(56% .24 .6)",  # 4.5:1 or more on every background of the theme
            "700": "oklch(52.5% .223 4)",
            "800": "oklch(45.9% .187 3.8)",
            "900": "oklch(40.8% .153 2.4)",
            "950": "oklch(28.4% .109 3.9)",
        }
    },
}

env.finish()
ENVIRONMENT = env  # what was read, for the page of settings
