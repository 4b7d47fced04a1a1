"""Who may do what: every method of every path, and what each kind of caller is answered.

`nobody` has no credentials. `user`, `manager` and `admin` come by cookie and by token. `dead` comes with a token that
is revoked, expired, unknown, or of an inactive user; `inactive` with the cookie of an inactive user. `must` is an admin
who must first change the password. `cross` is an admin's browser on a page of another site.

A cell is a status, or a redirect (302) to one of REDIRECTS. tests/admin holds the pages of each model below /admin/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.contract.bodies import Form
from tests.kit.users import PASSWORD

REDIRECTS = {
    ">admin": "/admin/",
    ">auth": "/admin/login/",
    ">login": "/login",
    ">change": "/change_password",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

API = """
path                                 methods                nobody  user  manager  admin  dead  inactive  must  cross
/api/ai/check                        POST                   401     200   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/generate                     POST                   401     200   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/history                      GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/history/{generation_id}      GET HEAD               401     200   404      200    401   401       403   200
                                     DELETE                 401     200   404      200    401   401       403   403
                                     POST PUT PATCH         405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/history/{generation_id}/favorite  PUT               401     200   404      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     POST PATCH DELETE      405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/providers                    GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/search                       POST                   401     200   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/trending                     GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/ai/usage/stats                  GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/bot/command                     POST                   401     200   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/bot/telegram/webhook            POST                   401     401   401      401    401   401       401   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/daily_sales                     GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/docs                            GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/export/daily_sales              GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/export/excel/{kind}             GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/history/{product_id}            GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/drive/files              GET HEAD               401     403   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/drive/import             POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/jobs                     GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/jobs/{job_id}            GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/jobs/{job_id}/cancel     POST                   401     403   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/jobs/{job_id}/errors     GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/jobs/{job_id}/retry      POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/jobs/{job_id}/undo       POST                   401     403   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/import/upload                   POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/monthly_summary                 GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/notification/render             POST                   401     200   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/notification/telegram           POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/notification/templates          GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/notification/templates/{code}   GET HEAD               401     200   200      200    401   401       403   200
                                     PUT PATCH              401     403   200      200    401   401       403   403
                                     POST DELETE            405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/notification/templates/{code}/versions  GET HEAD       401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/products                        GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/products/watches                GET HEAD               401     200   200      200    401   401       403   200
                                     POST                   401     200   200      200    401   401       403   403
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/products/watches/{watch_id}     DELETE                 401     200   404      404    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     POST PUT PATCH         405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/reports                         GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/reports/{report_id}/preview     GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/run_task                        POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/campaigns                 GET HEAD               401     200   200      200    401   401       403   200
                                     POST                   401     403   201      201    401   401       403   403
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/campaigns/{campaign_id}   GET HEAD               401     200   200      200    401   401       403   200
                                     PUT DELETE             401     403   200      200    401   401       403   403
                                     POST PATCH             405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/alarms                    GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/alarms/acknowledge        POST                   401     403   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/notes                     GET HEAD               401     200   200      200    401   401       403   200
                                     POST                   401     403   201      201    401   401       403   403
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/notes/{note_id}           GET HEAD               401     200   200      200    401   401       403   200
                                     PUT DELETE             401     403   200      200    401   401       403   403
                                     POST PATCH             405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/targets                   GET HEAD               401     200   200      200    401   401       403   200
                                     POST                   401     403   201      201    401   401       403   403
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/targets/attainment        GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/targets/{target_id}       GET HEAD               401     200   200      200    401   401       403   200
                                     PUT DELETE             401     403   200      200    401   401       403   403
                                     POST PATCH             405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/sales/trend                     GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/schema                          GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/system/crawler/status           GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/system/cleanup                  POST                   401     403   403      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/system/k8s/restart              POST                   401     403   403      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/system/status                   GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/trigger_momo_notification       POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/user/change_password            POST                   401     200   200      200    401   401       200   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/users                           GET HEAD               401     403   403      200    401   401       403   200
                                     POST                   401     403   403      201    401   401       403   403
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/users/login_history             GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/users/{user_id}                 GET HEAD               401     403   403      200    401   401       403   200
                                     PUT PATCH DELETE       401     403   403      200    401   401       403   403
                                     POST                   405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/users/{user_id}/reset_password  POST                   401     403   403      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/vendor/email/{email_id}         DELETE                 401     403   200      200    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     POST PUT PATCH         405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/vendor/list                     GET HEAD               401     200   200      200    401   401       403   200
                                     POST                   401     403   201      201    401   401       403   403
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/vendor/list/{vendor_id}         GET HEAD               401     200   200      200    401   401       403   200
                                     PUT PATCH DELETE       401     403   200      200    401   401       403   403
                                     POST                   405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/vendor/stockout                 GET HEAD               401     200   200      200    401   401       403   200
                                     POST PUT PATCH DELETE  405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/vendor/stockout/import          POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/vendor/stockout/send            POST                   401     403   202      202    401   401       403   403
                                     GET HEAD               405     405   405      405    401   405       405   405
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
/api/vendor/{vendor_id}/emails       GET HEAD               401     200   200      200    401   401       403   200
                                     POST                   401     403   201      201    401   401       403   403
                                     PUT PATCH DELETE       405     405   405      405    401   405       405   403
                                     OPTIONS                204     204   204      204    401   204       204   204
"""

# Pages know cookies only, so whoever comes with a token is nobody. What is posted lacks a form's CSRF token.
PAGES = """
path              methods                nobody  user    manager  admin   dead    inactive  must     cross
/                 GET HEAD OPTIONS       >admin  >admin  >admin   >admin  >admin  >admin    >change  >admin
                  POST PUT PATCH DELETE  403     403     403      403     403     403       >change  403
/login            GET HEAD               200     >admin  >admin   >admin  200     200       >change  >admin
                  POST                   401     401     401      401     401     401       401      403
                  PUT PATCH DELETE       405     405     405      405     405     405       405      403
                  OPTIONS                200     200     200      200     200     200       200      200
/logout           GET HEAD               >login  >login  >login   >login  >login  >login    >login   >login
                  POST                   >login  >login  >login   >login  >login  >login    >login   403
                  PUT PATCH DELETE       405     405     405      405     405     405       405      403
                  OPTIONS                405     405     405      405     405     405       405      405
/change_password  GET HEAD OPTIONS       >login  200     200      200     >login  >login    200      200
                  POST PUT PATCH DELETE  403     403     403      403     403     403       403      403
/health           GET HEAD               200     200     200      200     200     200       200      200
                  POST PUT PATCH DELETE  405     405     405      405     405     405       405      405
                  OPTIONS                405     405     405      405     405     405       405      405
/metrics          GET HEAD               403     403     403      403     403     403       403      403
                  POST PUT PATCH DELETE  405     405     405      405     405     405       405      405
                  OPTIONS                405     405     405      405     405     405       405      405
/vendor/answer/1  GET HEAD               404     404     404      404     404     404       404      404
                  POST                   404     404     404      404     404     404       404      403
                  PUT PATCH DELETE       405     405     405      405     405     405       405      403
                  OPTIONS                200     200     200      200     200     200       200      200
/views/1.csv      GET HEAD               404     404     404      404     404     404       404      404
                  POST PUT PATCH DELETE  405     405     405      405     405     405       405      403
                  OPTIONS                200     200     200      200     200     200       200      200
/admin/           GET HEAD OPTIONS       >auth   200     200      200     >auth   >auth     >change  200
                  POST PUT PATCH DELETE  403     403     403      403     403     403       >change  403
"""


@dataclass(frozen=True)
class Row:
    path: str
    method: str
    expected: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def rows(table: str) -> list[Row]:
    """The lines of a table, one row for each method; a line without a path continues the one above."""
    head, *lines = table.strip("\n").splitlines()
    actors = re.split(r"\s{2,}", head)[2:]
    made, path = [], ""
    for line in lines:
        first, methods, *cells = re.split(r"\s{2,}", line)
        path = first or path
        made += [Row(path, method, dict(zip(actors, cells, strict=True))) for method in methods.split()]
    return made


NEW = "Another-pass-2026"
STOCKOUT = 4711  # id of the world's stockout
ALARM = 7  # and of its alarm
# One row of a report of a day that no other of the world is about.
STOCKOUTS = "品號,品名,廠商代號,廠商名稱,月銷量,目前庫存\n12345678,玻尿酸精華液,V1,永昌貿易,30,0\n".encode()
REPORT = "日期,品號,數量,業績\n2026-02-01,12345678,1,990\n".encode()
# The other operations with POST take no body.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/api/ai/check"): {"text": "天然草本茶，幫助減 肥", "domain": "food"},
    ("POST", "/api/ai/generate"): {"product_name": "水潤精華液", "style": "吸睛", "keywords": ["保濕"]},
    ("POST", "/api/ai/search"): {"query": "2026 年防曬的趨勢"},
    ("POST", "/api/bot/command"): {"command": "/help"},
    ("POST", "/api/bot/telegram/webhook"): {"update_id": 812345678},
    ("POST", "/api/import/drive/import"): {"file_id": "sales-1", "job_type": "daily_sales"},
    ("POST", "/api/import/upload"): Form({"job_type": "daily_sales"}, REPORT),
    ("POST", "/api/notification/render"): {"code": "disk_warning", "variables": {"usage_percent": 85}},
    ("POST", "/api/notification/telegram"): {"message": "測試"},
    ("PUT", "/api/notification/templates/{code}"): {"title": "磁碟"},
    ("PATCH", "/api/notification/templates/{code}"): {"title": "磁碟"},
    ("POST", "/api/products/watches"): {"product_id": "12345678", "kind": "percent", "value": 5},
    ("POST", "/api/run_task"): {},
    ("POST", "/api/sales/campaigns"): {"name": "品牌日", "first": "2026-03-01", "last": "2026-03-03"},
    ("PUT", "/api/sales/campaigns/{campaign_id}"): {"last": "2026-03-04"},
    ("POST", "/api/sales/alarms/acknowledge"): {"ids": [ALARM]},
    ("POST", "/api/sales/notes"): {"date": "2026-01-29", "text": "直播加碼"},
    ("PUT", "/api/sales/notes/{note_id}"): {"text": "直播"},
    ("POST", "/api/sales/targets"): {"month": "2026-01", "dimension": "pm", "key": "王小明", "amount": 300000},
    ("PUT", "/api/sales/targets/{target_id}"): {"amount": 310000},
    ("POST", "/api/system/cleanup"): {"dry_run": True},
    ("POST", "/api/system/k8s/restart"): {"deployment": "momo-app"},
    ("POST", "/api/user/change_password"): {"current_password": PASSWORD, "new_password": NEW},
    ("POST", "/api/users"): {"username": "new.one", "password": NEW},
    ("PUT", "/api/users/{user_id}"): {"display_name": "新名字"},
    ("PATCH", "/api/users/{user_id}"): {"display_name": "新名字"},
    ("POST", "/api/vendor/stockout/import"): Form({}, STOCKOUTS, "缺貨.csv"),
    ("POST", "/api/users/{user_id}/reset_password"): {},
    ("POST", "/api/vendor/stockout/send"): {"stockout_ids": [STOCKOUT]},
    ("POST", "/api/vendor/list"): {"code": "V00002", "name": "另一家"},
    ("PUT", "/api/vendor/list/{vendor_id}"): {"contact": "陳先生"},
    ("PATCH", "/api/vendor/list/{vendor_id}"): {"contact": "陳先生"},
    ("POST", "/api/vendor/{vendor_id}/emails"): {"email": "new@example.com"},
}
