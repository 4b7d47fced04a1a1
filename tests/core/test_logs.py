"""A log line says what it belongs to, in JSON or as text, and holds no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import shared_task
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from gunicorn.config import Config
from gunicorn.glogging import Logger

from accounts.models import User
from momo.core import context
from momo.core.logs import ContextFilter, JsonLines, TextFormatter, mask

SECRET = "Zx81-q_7pRt5Lm2"


def record(message: str = "hello", *args: Any, **extra: Any) -> logging.LogRecord:
    made = logging.getLogger("shop").makeRecord("shop", logging.WARNING, "", 0, message, args, None, extra=extra)
    ContextFilter().filter(made)
    return made


def line(made: logging.LogRecord) -> dict[str, Any]:
    text = JsonLines().format(made)
    assert "\n" not in text
    read: dict[str, Any] = json.loads(text)
    return read


@shared_task(name="tests.logs")
def logged() -> dict[str, Any]:
    return line(record())


def unread() -> User:
    raise AssertionError("a log line reads no user")


@pytest.fixture
def entered() -> Any:
    yield lambda user: (setattr(request := HttpRequest(), "user", user), context.enter(request, "request-1"))
    context.leave()


def test_a_line_outside_of_everything() -> None:
    found = line(record("%s 筆", 3, rows=3, file="日報.xlsx"))

    assert found.pop("time").endswith("+08:00")
    assert found == {"level": "WARNING", "logger": "shop", "message": "3 筆", "rows": 3, "file": "日報.xlsx"}


def test_a_line_of_a_request(entered: Callable[[Any], None]) -> None:
    for user, name in ((User(username="amy"), "amy"), (AnonymousUser(), None), (SimpleLazyObject(unread), None)):
        entered(user)
        found = line(record())

        assert (found["request_id"], found.get("user")) == ("request-1", name)
    assert "[request-1] hello" in TextFormatter().format(record())


def test_a_line_of_a_task() -> None:
    found = logged.apply(task_id="task-1").get()

    assert (found["task"], found["task_id"]) == ("tests.logs", "task-1")
    assert "task" not in logged(), "called like a function"


def test_a_traceback_is_part_of_its_line_and_holds_no_secret() -> None:
    try:
        raise ValueError(f"https://api.telegram.org/bot123:{SECRET}/getMe")
    except ValueError as error:
        made = record(header={"Authorization": f"Bearer {SECRET}"})
        made.exc_info = (ValueError, error, error.__traceback__)
    text = JsonLines().format(made)

    assert "ValueError: https://api.telegram.org/bot123:…/getMe" in json.loads(text)["exc_info"]
    assert SECRET not in text
    assert SECRET not in TextFormatter().format(made)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "{{'Authorization': 'Basic {}', 'Accept': '*/*'}}",
        "password={} is wrong",
        '{{"new_password": "{} {}", "name": "amy"}}',
        "TELEGRAM_BOT_TOKEN='{}'",
        "GET /v1/models?alt=sse&key={}&x=1",
        "postgresql://momo:{}@database:5432/momo",
        "GET /bot123456:{}/sendMessage",
        "Set-Cookie: {}",
        "Not Found: /vendor/answer/{}",
        "Not Found: /views/{}.csv",
    ],
)
def test_secrets_are_masked_by_where_they_stand(text: str) -> None:
    masked = mask(text.replace("{}", SECRET).replace("{{", "{").replace("}}", "}"))

    assert SECRET not in masked
    assert "…" in masked
    assert ("amy" in text) == ("amy" in masked)


def test_secrets_of_the_settings_are_masked_wherever_they_stand(settings: Any) -> None:
    settings.GEMINI_API_KEY = SECRET
    settings.REDIS_URL = "redis://:pass%2Fword-9@broker:6379"

    assert mask(f"model says {SECRET}!") == "model says …!"
    assert mask("refused pass/word-9") == "refused …"


@pytest.mark.parametrize(
    "text",
    [
        "寄出 3 封，略過 1 封",
        "monkey: 3 tokens, tokenizer=fast",
        "https://mo.wooo.work:443/x@y",
        'File "/lib/django/views/generic/base.py", line 104, in view',
    ],
)
def test_other_words_stay(text: str) -> None:
    assert mask(text) == text


def test_gunicorns_access_log_is_in_the_same_form() -> None:
    config = Config()
    config.set("logconfig_dict", {"version": 1, "root": {"handlers": []}, "loggers": {}})
    seen: list[logging.LogRecord] = []
    logger = Logger(config)
    logger.access_log.addFilter(lambda made: bool(seen.append(made)))
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/api/products?q=x", "SERVER_PROTOCOL": "HTTP/1.1"}
    environ |= {"PATH_INFO": "/api/products", "QUERY_STRING": "q=x", "REMOTE_ADDR": "10.0.0.7"}
    answer = type("Answer", (), {"status": "200 OK", "sent": 512, "headers": [("X-Request-ID", "abc")]})
    logger.access(answer, type("Request", (), {"headers": []}), environ, timedelta(seconds=0.25))
    logger.access_log.filters.clear()
    found = line(seen[0])

    assert {name: found[name] for name in ("method", "path", "status", "bytes", "milliseconds", "request_id")} == {
        "method": "GET", "path": "/api/products", "status": 200, "bytes": 512, "milliseconds": 250, "request_id": "abc"
    }  # fmt: skip
