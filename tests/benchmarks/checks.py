"""What the checks of copy cost on 2,000 characters, in processor time of this process."""

from __future__ import annotations

import statistics
import time
import timeit

from ai.checks.claims import Phrases, check_claims
from ai.checks.facts import Facts, check_facts
from ai.models import Domain
from tests.ai.conftest import shipped_rules
from tests.ai.corpus_facts import FACTS
from tests.benchmarks.context import Context
from tests.benchmarks.report import Row

LENGTH = 2_000
# A page of copy: about one amount or claim in 25 characters, some of them false.
COPY = """✨水漾研究室 B5玻尿酸保濕精華液✨
還在為乾燥脫皮煩惱嗎？換季時臉頰緊繃、上妝浮粉，總是找不到一瓶真正適合自己的保濕精華嗎？
把玻尿酸與維他命B5溫柔地裝進瓶子裡，輕輕一抹，水潤感立刻在肌膚上化開，清爽不黏膩。
✅ 10%菸鹼醯胺，讓肌膚看起來更透亮
✅ 24小時長效保濕，從早到晚都水嫩
✅ 不含酒精、無添加香料，敏感肌也能安心使用
通過SGS檢驗合格，台灣製造，品質讓人放心。無論是上班族、學生或忙碌的媽媽，都能輕鬆完成每天的保養。
使用方式：洗臉之後取適量於掌心，輕拍全臉至吸收，早晚各一次，效果看得見。
原價$1,600，現在特價只要$1,280，現省320元！30ml×2入組，總共60ml，買一送一，滿千免運，活動只到11/11。
人氣部落客激推，熱銷破百萬瓶，三五好友一起團購最划算，十全十美的送禮選擇。
"""


def run(context: Context) -> list[Row]:
    """Medians, in milliseconds."""
    text = (COPY * 8)[:LENGTH]
    facts = Facts.from_mapping(FACTS["serum"])
    phrases = Phrases(shipped_rules())
    checks = {
        "fact lock": (lambda: check_facts(text, facts), 3),
        "claim check, all phrases": (lambda: check_claims(text, Domain.COSMETIC, phrases), 2),
    }
    number = 2 if context.quick else 20
    rows = []
    for name, (check, most) in checks.items():
        check()
        timer = timeit.Timer(check, timer=time.process_time)
        took = statistics.median(timer.repeat(3 if context.quick else 9, number)) / number * 1_000
        rows.append(Row(f"{name}, {LENGTH:,} characters", "", None, took, "ms", most, "value"))
    return rows
