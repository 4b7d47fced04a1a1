"""A workbook sent to the bot: previewed, held, confirmed once; nothing counts before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from bot.registry import Button, Call, Reply, Upload, run
from momo.core.errors import Conflict, NotFound, PayloadTooLarge, ValidationFailed
from momo.jobs.models import Job
from momo.jobs.selectors import open_failure_count
from momo.jobs.services import release_silent_jobs, run_job, sweep_jobs
from sales.models import DayTotal
from tests.fakes.telegram.html import visible
from tests.kit.users import person
from tests.kit.workbooks import xlsx
from vendors.models import Stockout

pytestmark = pytest.mark.django_db

HEADER = ("日期", "品號", "品名", "數量", "業績")
DAY = "2026/01/05"


@pytest.fixture(autouse=True)
def _settings(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def book(rows: int = 10, *, amount: object = 200, header: tuple[str, ...] = HEADER) -> bytes:
    return xlsx([header, *((DAY, f"P{n:03}", "商品", 1, amount) for n in range(rows))])


def send(user: User, content: bytes, *args: str, name: str = "<日報>.xlsx") -> Reply:
    return run(Call(user, "import", args, upload=Upload(name, content), chat_id="7"))


def press(user: User, button: Button) -> Reply:
    """As the front end does: a button that works once confirms."""
    return run(Call(user, button.command, button.args, confirmed=button.once, chat_id="7"))


def buttons(reply: Reply) -> list[Button]:
    return [button for row in reply.buttons for button in row]


def lines() -> int:
    return sum(DayTotal.objects.filter(dimension="all").values_list("lines", flat=True))


def imported(user: User, content: bytes) -> Job:
    press(user, buttons(send(user, content))[0])
    job = Job.objects.latest("pk")
    run_job(job.pk)
    job.refresh_from_db()
    return job


def test_a_file_is_imported_once_after_its_preview_is_confirmed(manager: User) -> None:
    reply = send(manager, book())
    text = visible(reply.text)
    for part in ("<日報>.xlsx　每日銷售", "資料 10 列，錯誤 0 個", "還沒有寫入", "2026-01-05 新增：10 列，$2,000"):
        assert part in text, part
    held = Job.objects.get()
    assert (held.held, held.source, held.created_by) == (True, "telegram", manager)
    # Nothing starts it: neither its task nor the sweep, nor the words without the button.
    release_silent_jobs()
    sweep_jobs()
    confirm, _ = buttons(reply)
    assert (confirm.once, confirm.label) == (True, "匯入 10 列")
    typed = run(Call(manager, "import", confirm.args))
    assert (buttons(typed), Job.objects.count(), lines()) == (buttons(reply), 1, 0)

    started = press(manager, confirm)
    assert press(manager, confirm).data["job_id"] == started.data["job_id"] == Job.objects.latest("pk").pk
    assert Job.objects.count() == 2
    run_job(started.data["job_id"])
    ended = press(manager, buttons(started)[0])
    assert (ended.data["status"], lines()) == ("succeeded", 10)
    assert "新增 10" in visible(ended.text)
    assert run(Call(manager, "import", (str(held.pk),))).data == ended.data
    assert open_failure_count() == 0


def test_the_same_file_sent_twice_waits_once_and_is_known_afterwards(manager: User) -> None:
    first, second = send(manager, book()), send(manager, book())
    assert first.data == second.data
    job = imported(manager, book())
    again = send(manager, book())
    assert f"已經匯入過（#{job.pk}）" in visible(again.text)
    assert "2026-01-05 相同：10 列" in visible(again.text)


def test_a_file_that_takes_much_away_says_so_and_replaces_when_confirmed(manager: User) -> None:
    imported(manager, book(10))
    reply = send(manager, book(3))
    assert "⚠️ 減少：10 → 3 列，$2,000 → $600 ▼70%" in visible(reply.text)
    assert "業績會減少超過 30%" in visible(reply.text)
    confirm = buttons(reply)[0]
    assert confirm.label == "確認取代，匯入 3 列"
    # Without the preview's sentence the loss is not agreed to.
    plain = run(Call(manager, "import", (confirm.args[0], "ok"), confirmed=True))
    run_job(plain.data["job_id"])
    assert (Job.objects.latest("pk").held, lines()) == (True, 10)
    waiting = run(Call(manager, "import", (str(Job.objects.latest("pk").pk),)))
    run_job(press(manager, buttons(waiting)[0]).data["job_id"])
    assert lines() == 3


def test_rows_with_errors_are_named_and_left_out(manager: User) -> None:
    rows = [(DAY, f"P{n}", "商品", "<三>" if n == 2 else 1, 100) for n in range(5)]
    reply = send(manager, xlsx([HEADER, *rows]))
    text = visible(reply.text)
    assert "會略過 1 列，只匯入 4 列" in text
    assert "・第 4 列 數量" in text
    run_job(press(manager, buttons(reply)[0]).data["job_id"])
    assert lines() == 4
    nothing = send(manager, book(2, amount="三"))
    assert (nothing.buttons, nothing.data["confirm"]) == ((), False)
    assert "每一列都有錯" in visible(nothing.text)


def test_a_file_may_be_given_up(manager: User) -> None:
    confirm, dismiss = buttons(send(manager, book()))
    assert "不會匯入" in visible(press(manager, dismiss).text)
    with pytest.raises(Conflict, match="決定不匯入"):
        press(manager, confirm)
    assert (open_failure_count(), lines(), Job.objects.count()) == (0, 0, 1)


def test_the_kind_of_report_is_found_by_its_headers_or_named(manager: User) -> None:
    content = xlsx([("品號", "品名", "廠商代號", "部門"), ("P1", "商品", "V1", "美妝部")])
    reply = send(manager, content)
    assert reply.data["job_type"] == "vendor_stockout"
    assert "新缺貨：1" in visible(reply.text)
    assert send(manager, content, "缺貨").data == reply.data
    run_job(press(manager, buttons(reply)[0]).data["job_id"])
    assert Stockout.objects.count() == 1
    with pytest.raises(ValidationFailed, match="每日銷售、廠商缺貨"):
        send(manager, content, "薪資")
    with pytest.raises(ValidationFailed, match="缺少必要欄位"):
        send(manager, content, "每日銷售")


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", "空的"), (b"%PDF-1.7 nonsense", "."), (book(header=tuple("甲乙丙丁戊")), "看不出是哪一種報表")],
)
def test_what_cannot_be_imported_is_refused_and_not_kept(content: bytes, error: str, manager: User) -> None:
    with pytest.raises(ValidationFailed, match=error):
        send(manager, content)
    assert not Job.objects.exists()


def test_bounds(manager: User, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1024
    with pytest.raises(PayloadTooLarge):
        send(manager, b"x" * 1025)
    with pytest.raises(NotFound):
        run(Call(manager, "import", ("9" * 18,)))
    for number in ("abc", "9" * 19, "-1"):
        with pytest.raises(ValidationFailed, match="不是匯入的編號"):
            run(Call(manager, "import", (number,)))


def test_a_file_that_is_no_longer_kept_is_asked_for_again(manager: User) -> None:
    reply = send(manager, book())
    Path(Job.objects.get().file.path).unlink()
    with pytest.raises(Conflict, match="再傳一次"):
        run(Call(person("eve", "manager"), "import", (str(reply.data["job_id"]),)))
