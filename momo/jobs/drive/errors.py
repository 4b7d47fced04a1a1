"""Errors for Drive's failures and refusals, with texts for users."""

from __future__ import annotations

from collections.abc import Collection

from momo.core.errors import NotFound, PayloadTooLarge, ServiceError, UpstreamError
from momo.core.waits import retry_after

SERVICE = "Google 雲端硬碟"
TOO_OFTEN = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_DAY = 86_400.0
_REFUSED = {
    "accessNotConfigured": "的 API 尚未啟用，請管理員在 Google Cloud 主控台為服務帳戶的專案啟用 Google Drive API",
    "dailyLimitExceeded": "今天的用量已達上限，請明天再試，或請管理員在 Google Cloud 主控台提高配額",
    "cannotDownloadAbusiveFile": "判定這個檔案有害，不提供下載；請確認檔案內容",
    "cannotDownloadFile": "不提供這個檔案的下載，請在共用設定中允許檢視者下載，或改為直接上傳檔案",
    "fileNotDownloadable": "不提供這個檔案的下載；請換成 Excel、CSV 或 Google 試算表",
    "domainPolicy": "的網域政策不允許這個存取，請洽 Google Workspace 管理員",
}
_OF_ACCOUNT = frozenset({"accessNotConfigured", "dailyLimitExceeded", "domainPolicy"})


class DriveError(UpstreamError):
    """Drive failed or refused; `text` continues the sentence that begins with its name, and says what to do.

    `transient` failures may pass by themselves, `wait` seconds from now at the earliest. `account` failures concern the
    service account, not the requested file.
    """

    def __init__(self, text: str, *, transient: bool = False, wait: float = 0.0, account: bool = False) -> None:
        self.service = SERVICE
        self.transient = transient
        self.wait = wait
        self.account = account
        ServiceError.__init__(self, f"{SERVICE}{text}")


def unexpected(what: str) -> DriveError:
    """Return the error for an answer that is not as described."""
    return DriveError(f"的回應不如預期（{what}），請稍後再試；若持續發生請通知管理員")


def busy(status: int, header: str | None) -> DriveError:
    """Return the error for "not now", with the wait that the Retry-After `header` asks for."""
    wait = retry_after(header) or 0.0
    again = f"請於 {wait:.0f} 秒後再試" if 1 <= wait <= _DAY else "請稍後再試"
    reason = "忙不過來" if status >= 500 or status == 408 else "認為請求太頻繁"
    return DriveError(f"{reason}（HTTP {status}），{again}", transient=True, wait=wait)


def no_token(email: str) -> DriveError:
    """Return the error for a service account whose key is refused."""
    return DriveError(
        f"不接受服務帳戶 {email} 的金鑰，請管理員確認 GOOGLE_SERVICE_ACCOUNT_FILE 的金鑰未被刪除或停用，且主機時間正確",
        account=True,
    )


def no_such_file(email: str) -> NotFound:
    """Return the error for a file that is missing or not shared with the account: Drive answers both alike."""
    return NotFound(f"{SERVICE}找不到這個檔案：可能已刪除或移走，或沒有共用給 {email}")


def no_such_folder(folder: str, email: str) -> DriveError:
    """Return the error for the folder of the settings: missing, or not shared with the account."""
    return _share(f"找不到資料夾「{folder}」", email, of_settings=True)


def refused(reasons: Collection[str], *, folder: str, email: str) -> ServiceError:
    """Return the error for a 403 that stays one. `folder` is empty when a file was asked for."""
    if "exportSizeLimitExceeded" in reasons:
        return PayloadTooLarge(
            "這份 Google 試算表轉成 Excel 後超過 10 MB，Google 不提供匯出；"
            "請在試算表選「檔案 → 下載 → Microsoft Excel (.xlsx)」再上傳，或把它分成幾份"
        )
    for reason in sorted(reasons):
        if reason in _REFUSED:
            return DriveError(_REFUSED[reason], account=reason in _OF_ACCOUNT)
    named = f"（{'、'.join(sorted(reasons))}）" if reasons else ""
    what = f"資料夾「{folder}」" if folder else "這個檔案"
    return _share(f"不允許讀取{what}{named}", email, of_settings=bool(folder))


def _share(problem: str, email: str, *, of_settings: bool) -> DriveError:
    check = "請管理員確認 GOOGLE_DRIVE_FOLDER_ID，並" if of_settings else "請"
    return DriveError(f"{problem}，{check}在雲端硬碟把它共用（檢視者）給 {email}")
