"""The control plane: how tests in another process steer the shop, under /_control/ and from loopback only."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from .app import Shop
from .faults import Rule
from .http import JSON, Request, Response

PREFIX = "/_control/"


def handle(shop: Shop, request: Request) -> Response:
    """Answer one control request; a mistake in it is a 400 that names the mistake."""
    if request.peer != "::1" and not request.peer.startswith("127."):
        return Response(status=404)
    path, _, query = request.target.partition("?")
    try:
        answer = _act(shop, request.method, path[len(PREFIX) :], query, request.body)
    except (ValueError, TypeError, AttributeError) as error:
        return _json({"error": str(error)}, 400)
    except KeyError as error:
        return _json({"error": f"no such product: {error.args[0]}"}, 400)
    return _json({"error": "no such control"}, 404) if answer is None else _json(answer)


def _act(shop: Shop, method: str, name: str, query: str, body: bytes) -> dict[str, Any] | None:
    sent: Any = json.loads(body) if body else None
    match method, name:
        case "GET", "log":
            return shop.log()
        case "GET", "catalogue":
            return shop.truth(int(parse_qs(query).get("day", [str(shop.day)])[0]))
        case "POST", "day":
            shop.day = _day(sent.get("day"))
        case "POST", "prepare":
            shop.prepare()
        case "POST", "overrides":
            for product_id, put in sent.items():
                shop.override(product_id, **(put or {}))
        case "POST", "faults":
            # The whole list is replaced, so that a test states all troubles it means.
            rules = sent.get("rules", []) if isinstance(sent, dict) else sent
            shop.rules = [Rule.read(rule) for rule in rules]
        case "POST", "reset":
            shop.reset((sent or {}).get("only", ()))
        case _:
            return None
    return {"ok": True, "day": shop.day}


def _day(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("day must be a whole number from 0 on")
    return value


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(answer, ensure_ascii=False).encode(), status, JSON)
