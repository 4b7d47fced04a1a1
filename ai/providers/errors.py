"""What goes wrong at a provider, told apart; each says in Traditional Chinese what to do.

`kind` is stored with the call. No sentence repeats the provider's own words, which may hold an address or a key.
"""

from __future__ import annotations

from typing import ClassVar


class ProviderError(Exception):
    """Base of all; only subclasses are raised. `str(error)` is a sentence without its provider's name."""

    kind: ClassVar[str]
    advice: ClassVar[str]
    # Whether another provider may succeed: the request is not to blame.
    replaceable: ClassVar[bool] = False
    # Whether the provider may have read the prompt, so that it costs what it costs.
    charged: ClassVar[bool] = False

    def __init__(self, advice: str | None = None) -> None:
        super().__init__(advice or self.advice)


class NotRunning(ProviderError):
    """No connection."""

    kind = "not_running"
    advice = "連不上服務，請確認服務已啟動、網址設定正確"
    replaceable = True


class NotSet(ProviderError):
    """A setting is missing; `setting` names it."""

    kind = "not_set"
    advice = "缺少必要的設定"
    replaceable = True

    def __init__(self, setting: str) -> None:
        super().__init__(f"請管理員設定 {setting}")
        self.setting = setting


class ModelMissing(ProviderError):
    """The provider has no such model."""

    kind = "model_missing"
    advice = "沒有這個模型，請管理員檢查模型設定"
    replaceable = True


class Denied(ProviderError):
    """The key is wrong, or may not use the model."""

    kind = "denied"
    advice = "金鑰無效或沒有權限，請管理員檢查金鑰"
    replaceable = True


class Quota(ProviderError):
    """Too many requests, or the quota is used up."""

    kind = "quota"
    advice = "用量已達上限，請稍後再試，或請管理員提高額度"
    replaceable = True


class Overloaded(ProviderError):
    """5xx, also after retries."""

    kind = "overloaded"
    advice = "服務暫時過載或故障，請稍後再試"
    replaceable = True


class Timeout(ProviderError):
    """The deadline passed, retries included."""

    kind = "timeout"
    advice = "逾時沒有完成，請稍後再試，或縮短內容、減少版本數"
    charged = True


class Blocked(ProviderError):
    """The provider's filters refused the prompt or the answer."""

    kind = "blocked"
    advice = "內容被服務的安全規則擋下，請修改品名、關鍵字或商品資料後再試"
    charged = True


class CutOff(ProviderError):
    """The answer reached the limit of its length and is not whole."""

    kind = "cut_off"
    advice = "回答太長而被截斷，請縮短字數後再試，或請管理員提高 AI_MAX_OUTPUT_TOKENS"
    charged = True


class ContextTooLong(ProviderError):
    """The prompt does not fit into the model's context."""

    kind = "context_too_long"
    advice = "要求超過模型一次能讀的長度，請減少商品資料或關鍵字，或請管理員提高 OLLAMA_NUM_CTX"
    charged = True


class BadAnswer(ProviderError):
    """The answer is not what the provider documents, is empty, or ends before its end."""

    kind = "bad_answer"
    advice = "回答不完整或格式不正確，請再試一次"
    charged = True
