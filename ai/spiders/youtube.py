"""YouTube Data API v3: the most viewed of the latest videos about something.

`search.list` finds them (of 100 such calls a day), `videos.list` has their counts. Described at
https://developers.google.com/youtube/v3/docs; counts are texts, and absent where the channel hides them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from ai.spiders.pages import MAX_TITLE, ListError, TrendItem, TrendPage
from momo.core.texts import parse_json
from momo.core.waits import backoff
from products.spiders.pages import MAX_BRAND, MAX_NAME, clean_text, web_url

MAX_BYTES = 4 * 1024 * 1024
MAX_RESULTS = 50
_TRANSIENT = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT = 20.0  # seconds between two attempts
_VIDEO = re.compile(r"[A-Za-z0-9_-]{1,20}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
# What the API calls its errors, and what to do.
_ADVICE = {
    "quotaExceeded": "今天的查詢額度用完了（quotaExceeded），明天會再試",
    "dailyLimitExceeded": "今天的查詢額度用完了（dailyLimitExceeded），明天會再試",
    "keyInvalid": "金鑰無效（keyInvalid），請檢查設定 YOUTUBE_API_KEY",
    "accessNotConfigured": "金鑰的專案沒有啟用 YouTube Data API v3，請到 Google Cloud 啟用",
    "forbidden": "金鑰沒有權限（forbidden），請檢查它的限制",
}


class QuotaExceeded(ListError):
    """No more calls are answered today: the searches that are left need not be asked."""


@dataclass(slots=True, frozen=True)
class YouTube:
    """The API at `url`. A list takes at most `seconds`, with all its attempts."""

    url: str
    key: str
    timeout: float
    retries: int
    wait: float  # before the first retry
    seconds: float

    def most_viewed(self, query: str, *, days: int, limit: int) -> TrendPage:
        """The most viewed videos of the last `days` about `query`. Raises ListError."""
        deadline = time.monotonic() + self.seconds
        since = datetime.now(UTC) - timedelta(days=days)
        with httpx.Client(timeout=self.timeout, follow_redirects=False) as client:
            search = {
                "part": "snippet",
                "type": "video",
                "q": query,
                "order": "viewCount",
                "publishedAfter": f"{since:%Y-%m-%dT%H:%M:%SZ}",
                "regionCode": "TW",
                "relevanceLanguage": "zh-Hant",
                "maxResults": str(min(limit, MAX_RESULTS)),
            }
            found = _rows(self._get(client, "search", search, deadline))
            ids = [video for row in found if (video := _video(row))]
            if not ids:
                raise ListError("YouTube 沒有找到影片")
            wanted = {"part": "snippet,statistics,contentDetails", "id": ",".join(ids[:MAX_RESULTS])}
            details = {row.get("id"): row for row in _rows(self._get(client, "videos", wanted, deadline))}
        # Videos that were deleted or hidden meanwhile have no details.
        known = [details[video] for video in dict.fromkeys(ids) if video in details]
        items = [item for row in known if (item := _item(row))]
        if not items:
            raise ListError("YouTube 沒有回覆影片的資料")
        ranked = [replace(item, rank=rank) for rank, item in enumerate(items, start=1)]
        return TrendPage(clean_text(f"「{query}」近 {days} 天觀看最多的影片", MAX_TITLE), ranked)

    def _get(self, client: httpx.Client, method: str, params: Mapping[str, str], deadline: float) -> Mapping[str, Any]:
        """The object that a method answers; transient failures are asked again. Raises ListError, QuotaExceeded."""
        for attempt in range(1, self.retries + 2):
            status, data, why = self._once(client, method, params, deadline)
            if status == 200 and data is not None:
                return data
            reason = _reason(data)
            if reason in _QUOTA:
                raise QuotaExceeded(f"YouTube {_ADVICE[reason]}")
            pause = backoff(attempt, base=self.wait, longest=_LONGEST_WAIT)
            transient = status in _TRANSIENT or status == 0
            if not transient or attempt > self.retries or time.monotonic() + pause > deadline:
                raise ListError(f"YouTube {_ADVICE.get(reason) or why}")
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _once(
        self, client: httpx.Client, method: str, params: Mapping[str, str], deadline: float
    ) -> tuple[int, Mapping[str, Any] | None, str]:
        """Status (0 without an answer), JSON object if it is one, and what went wrong. No text of the request in it."""
        address = f"{self.url}/youtube/v3/{method}"
        body = b""
        try:
            with client.stream("GET", address, params={**params, "key": self.key}) as response:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MAX_BYTES:
                        return 200, None, f"回覆超過 {MAX_BYTES // 1024 // 1024} MB"
                    if time.monotonic() > deadline:
                        return 0, None, "回覆得太慢"
                status = response.status_code
        except httpx.TimeoutException:
            return 0, None, f"超過 {self.timeout:g} 秒沒有回應"
        except httpx.HTTPError as error:
            return 0, None, f"連線失敗（{type(error).__name__}）"
        try:
            data = parse_json(body.decode())
        except ValueError:
            data = None
        if isinstance(data, dict):
            return status, data, f"回覆 HTTP {status}"
        return status, None, f"回覆的不是 JSON（HTTP {status}）"


def _reason(data: Mapping[str, Any] | None) -> str:
    """Why a call was refused, in the API's word: `keyInvalid` also where only the details say so."""
    error = data.get("error") if data else None
    if not isinstance(error, dict):
        return ""
    if "API key not valid" in str(error.get("message")):
        return "keyInvalid"
    rows = error.get("errors")
    reasons = [str(row.get("reason")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return next((reason for reason in reasons if reason in _ADVICE), reasons[0] if reasons else "")


def _rows(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = data.get("items")
    if not isinstance(items, list):
        raise ListError("YouTube 的回覆裡沒有清單（items）")
    return [row for row in items[:MAX_RESULTS] if isinstance(row, dict)]


def _object(value: Any, key: str) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, dict) else {}


def _video(row: Mapping[str, Any]) -> str:
    """The id of a video that a search found."""
    video = _object(row, "id").get("videoId")
    return video if isinstance(video, str) and _VIDEO.fullmatch(video) else ""


def _item(row: Mapping[str, Any]) -> TrendItem | None:
    snippet = _object(row, "snippet")
    name = clean_text(snippet.get("title"), MAX_NAME)
    if not name:
        return None
    pictures = _object(snippet, "thumbnails")
    moment = str(snippet.get("publishedAt"))
    return TrendItem(
        rank=1,
        name=name,
        brand=clean_text(snippet.get("channelTitle"), MAX_BRAND),
        url=f"https://www.youtube.com/watch?v={row['id']}",
        image_url=next(
            (url for size in ("medium", "default") if (url := web_url(_object(pictures, size).get("url")))), ""
        ),
        views=_count(_object(row, "statistics").get("viewCount")),
        published_at=moment if _MOMENT.fullmatch(moment) else None,
    )


def _count(value: Any) -> int | None:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None
