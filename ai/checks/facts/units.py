"""Units: what is measured (the dimension), and how much of its base one is. Own table: goods of Taiwan, not physics."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """`group` tells counters apart: 瓶 and 罐 are one group, 入 and 件 fit each group ("*")."""

    name: str
    dimension: str
    factor: float = 1.0
    group: str = ""


# Dimension, and the names of its units by their size in its base unit.
_MEASURES: dict[str, dict[float, str]] = {
    "volume": {1: "ml 毫升 cc c.c. c.c 西西", 100: "公合", 1000: "公升 升 l"},
    "mass": {
        1e-6: "mcg μg 微克", 1e-3: "mg 毫克", 1: "g 公克 克", 28.3495: "oz 盎司", 453.592: "lb 磅", 600: "台斤 斤",
        1000: "kg 公斤 千克", 1_000_000: "公噸 噸",
    },
    "length": {0.1: "mm 毫米 公釐", 1: "cm 公分 厘米", 100: "m 公尺 米", 100_000: "km 公里"},
    "inch": {1: "吋 英吋 inch 英寸 寸"},
    "hours": {
        1 / 3600: "秒鐘 秒", 1 / 60: "分鐘 min mins", 1: "小時 個小時 鐘頭 個鐘頭 h hr hrs hours hour",
        24: "天 日 days day", 168: "週 周 星期 個星期 禮拜 個禮拜",
    },
    "months": {1: "個月 月份 months", 12: "年 年份 years year"},
    "percent": {1: "% 趴", 10: "成"},
    "score": {1: "分 分好評 顆星 星 顆星星"},
    "people": {1: "人 名 位 個人"},
    "reviews": {1: "則 篇 個好評 個評價"},
    "energy": {1: "kcal 大卡 卡路里 卡"},
    "power": {1: "w 瓦", 1000: "kw"},
    "voltage": {1: "v 伏特"},
    "noise": {1: "db 分貝"},
    "storage": {1 / 1024: "mb", 1: "gb", 1024: "tb"},
    "light": {1: "lm 流明"},
    "frequency": {1: "hz", 1e3: "khz", 1e6: "mhz", 1e9: "ghz"},
    "pixels": {1: "畫素 像素"},
    "temperature": {1: "度 度c °c ° ℃"},
    "repeats": {1: "次 回"},
    "bacteria": {1: "cfu 菌 益生菌 好菌 活菌 株菌"},
    "in one": {1: "合一 合1 in1 效合一 機一體"},
}  # fmt: skip
# Each a dimension of its own: those that count, and those that measure.
_COUNTING = "歲 層 道 種 項 期 色 段 國 家 重 效 用 速"
COUNTING = _COUNTING.split()
_MEASURING = "倍 代 mah iu ppm 坪 匹 馬力 丹 丹尼 支紗 號 檔 孔 軸 匙 滴 抽 dpi rpm"
_OWN = [*COUNTING, *_MEASURING.split()]
# Counters, by what may stand for each other; the first group fits all.
_COUNTERS = (
    "入 件 組 個 套 份 入裝 入組 件組 件式 pcs pc 裝 款", "瓶 罐", "包 袋", "盒 箱", "支 條 隻 枝 管 根", "片 張 枚 貼",
    "顆 粒 錠 丸 膠囊 塊", "台 部", "雙 對", "杯", "本 冊", "捲 卷 串", "頂", "桶", "把", "人份", "餐", "尾", "朵",
    "芯", "壺", "碗", "盆", "株", "輛",
)  # fmt: skip


def _table() -> dict[str, Unit]:
    units = {name: Unit(name, name) for name in _OWN}
    for dimension, sizes in _MEASURES.items():
        for factor, names in sizes.items():
            units |= {name: Unit(name, dimension, factor) for name in names.split()}
    for place, names_of_group in enumerate(_COUNTERS):
        for name in names_of_group.split():
            units[name] = Unit(name, "count", group=str(place) if place else "*")
    return units


UNITS = _table()
# A unit, and characters after it with which it is another word: 3米色, 十分感謝, 三成分, 兩家人.
_OTHER_WORDS = """
卡通片位路友車布其娜帶扣士
米色粒飯漿麵糕其 分鐘之期享解泌子散明辨別開秒類割層感好 成分人就長功為本熟效員份 日本幣系式圓元
天然絲空生使氣下地鵝堂 年輕齡紀代級終貨節前 周圍遭邊年 個性別案 包括含裹容裝覆膜廂 條件理紋
名牌稱字人模店流 位置於 支持援付撐 套用餐 對於付抗比象應折方 組合成織 件數 次元世要方 張力
色彩調素澤號系差 度假過 用品心途量 本質身土 重量要視新點大 家庭人居電用事具常 國際 道地理 號稱召
期待間望 段落 項鍊目 種植類 效果能用率期 星期座空級 卷髮 入口手門圍眠味侵秋冬 份量 款式待 頂級尖
部分位曲 台灣北中南東 速度食配成 雙眼 人參生氣工力類體士 裝潢置飾 把關握 餐廳具桌 秒殺 代表謝替工 片刻面 升級溫降 克服
管理道 回饋購頭憶 層次級 貼心合身 杯子 粒線 桶裝 根本部 孔隙 倍感 箱子 串聯 抽獎取 噸位
"""
_NOT_BEFORE = {word[0]: word[1:] for word in _OTHER_WORDS.split()}


def _pattern(name: str) -> str:
    after = r"(?!\.?[a-z])" if name[-1].isascii() and name[-1].isalpha() else ""
    if bad := _NOT_BEFORE.get(name):
        after = f"(?![{bad}])"
    return re.escape(name) + after


_UNIT = re.compile(" ?(" + "|".join(_pattern(name) for name in sorted(UNITS, key=len, reverse=True)) + ")")


def unit_at(shadow: str, place: int) -> tuple[Unit, int] | None:
    """The unit that stands at a place of a shadow, and where it ends."""
    match = _UNIT.match(shadow, place)
    return (UNITS[match[1]], match.end()) if match else None
