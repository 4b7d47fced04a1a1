"""The first styles, prices and schedule. Written once: what staff change or remove stays as they left it."""

import datetime as dt
from decimal import Decimal

from django.db import migrations

STYLES = {
    "吸睛": (
        "第一句就抓住目光",
        "第一句用畫面、提問或反差抓住目光，句子短而有節奏。接著用一到兩個資料裡的事實說明值得看下去的理由，最後用一句話邀請行動。可以用少量表情符號，最多兩個。",
    ),
    "專業": (
        "條理清楚，用事實說服",
        "語氣沉穩、用詞準確，像熟悉商品的顧問。先說商品是什麼、適合誰，再依重要性說明成分、規格與使用方式，只用資料裡有的數據。不用驚嘆號和表情符號。",
    ),
    "感性": (
        "從生活場景寫起",
        "從一個生活中的小場景寫起，描寫感受、氣味、觸感與心情，讓人想像使用商品的時刻。語氣溫暖自然，不煽情。商品的事實融入場景，不條列。",
    ),
    "簡潔": (
        "短句，只說重點",
        "只寫三到五個短句，每句一個重點，不鋪陳、不重複、不用形容詞堆疊。先寫最有用的一點。",
    ),
    "促銷": (
        "價格與優惠放在前面",
        "把資料裡的價格、優惠與期限放在最前面，說清楚怎麼買最划算，再用一句話說明商品的好處。資料裡沒有優惠或期限時，不可以寫限時、特價、折扣或贈品，只寫商品本身值得買的理由。",
    ),
    "SEO": (
        "自然帶入搜尋用詞",
        "寫給搜尋的人看：第一句完整寫出品牌與商品名稱，關鍵字自然分布在各段，每個出現一到兩次，不堆砌。分成二到三個短段落，說明用途、特色與適合的人。",
    ),
    "社群": (
        "像朋友分享的貼文",
        "像朋友在社群上分享：口語、親切，可以自問自答，每一到兩句換行。結尾用一個問題邀請留言，最後一行加三到五個主題標籤（#）。可以用表情符號，最多四個。",
    ),
}
# US dollars for a million tokens and for a search. Ollama runs on our own machines. Gemini's are a guess
# from no price list, on the high side: staff put in what their contract says.
PRICES = {
    "ollama": (Decimal(0), Decimal(0), Decimal(0)),
    "gemini": (Decimal("0.50"), Decimal("3.00"), Decimal("0.035")),
}


def write(apps, schema_editor):
    styles = apps.get_model("ai", "Style").objects
    for position, (name, (description, prompt)) in enumerate(STYLES.items(), start=1):
        styles.get_or_create(
            name=name, defaults={"description": description, "prompt": prompt, "position": position * 10}
        )
    prices = apps.get_model("ai", "ModelPrice").objects
    for provider, (given, written, search) in PRICES.items():
        prices.get_or_create(
            provider=provider,
            model="",
            valid_from=dt.date(2026, 1, 1),
            defaults={"input_per_million": given, "output_per_million": written, "per_search": search},
        )
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=60, period="seconds"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="看顧 AI 呼叫",
        defaults={"task": "ai.sweep", "interval": interval, "description": "結束中斷的呼叫，放開它們保留的預算"},
    )


class Migration(migrations.Migration):
    dependencies = [("ai", "0001_initial"), ("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
