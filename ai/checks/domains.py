"""Which law a product falls under, guessed from its category and name."""

from __future__ import annotations

import re

# Words of each domain, as regular expressions; the first domain that fits counts.
_BY_NAME = {
    "supplement": "健康食品 健食字 衛部健食 衛署健食 小綠人",
    "medical_device": """
        醫療器材 醫器 血壓計 血糖機 血糖試紙 耳溫槍 額溫槍 體溫計 隱形眼鏡 日拋 月拋 雙週拋 醫療口罩 醫用口罩
        保險套 衛生套 快篩 製氧機 輪椅 助聽器 低週波 電療 OK繃 紗布 人工皮 護具 束腹帶 醫療襪 彈性襪 洗鼻器 霧化器
        驗孕 排卵試紙 痘痘貼 傷口
    """,
    "general": """
        貓 狗 犬 寵物 化妝(?:包|鏡|台|刷|箱|棉) 收納 飲水機 濾水 果汁機 調理機 料理機 咖啡機 電鍋 烤箱 冰箱 玩具
        圖書 書籍 手機 保溫(?:杯|瓶|壺|袋) 便當盒 水壺 餐具 吹風機 刮鬍刀 按摩(?:器|椅|槍) 美容儀 洗臉機
    """,
    "cosmetic": """
        精華(?:液|乳|霜|油)? 乳液 面霜 乳霜 化妝水 化粧水 面膜 眼霜 防曬(?:乳|霜|噴霧|凝露|棒) 洗面乳 潔面 卸妝
        洗髮(?:精|乳|露) 潤髮 護髮 沐浴(?:乳|露|精) 身體乳 護手霜 護唇膏 唇膏 口紅 唇釉 粉底 粉餅 蜜粉 腮紅 眼影
        眼線 睫毛膏 眉筆 香水 香氛噴霧 指甲油 染髮 髮油 髮蠟 牙膏 漱口水 香皂 洗手乳 止汗 體香 氣墊 隔離霜 凝膠
        凍膜 安瓶 化妝品 化粧品
    """,
    "food": """
        膠囊 錠 益生菌 酵素 魚油 葉黃素 膠原蛋白 維他命 維生素 B群 雞精 燕窩 人蔘 薑黃 保健 奶粉 麥片 咖啡 茶包
        茶葉 餅乾 巧克力 零食 堅果 泡麵 麵條 白米 果汁 飲料 飲品 豆漿 牛奶 蜂蜜 果醬 醬油 水餃 牛排 雞胸 鮭魚
        蛋糕 月餅 代餐 蛋白粉 乳清 粉包 沖泡
    """,
}
_BY_CATEGORY = {
    "supplement": "健康食品",
    "medical_device": "醫療器材 醫療用品 隱形眼鏡 血壓 保險套 護具 輔具",
    "food": """
        食品 保健 營養 零食 飲料 飲品 生鮮 沖泡 茶 咖啡 奶粉 米麵 甜點 蛋糕 水果 海鮮 肉品 調味 伴手禮 養生
        維他命 益生菌
    """,
    "cosmetic": """
        美妝 保養 彩妝 化妝品 化粧品 洗髮 沐浴 美髮 髮品 香水 香氛 臉部 身體清潔 口腔 牙膏 防曬 面膜 卸妝 美體
        開架 專櫃
    """,
}
_NAMES, _CATEGORIES = (
    {domain: re.compile("|".join(words.split()), re.IGNORECASE) for domain, words in table.items()}
    for table in (_BY_NAME, _BY_CATEGORY)
)
_SURE = frozenset({"supplement", "medical_device", "general"})  # names of these count whatever the category says


def guess_domain(category_path: str, name: str) -> str:
    """A value of `Domain`: by what the name shows for certain, then by the category, then by the name."""
    named = next((domain for domain, pattern in _NAMES.items() if pattern.search(name)), None)
    if named in _SURE:
        return str(named)
    listed = next((domain for domain, pattern in _CATEGORIES.items() if pattern.search(category_path)), None)
    if listed == "food" and named == "cosmetic":
        return "cosmetic"
    return listed or named or "general"
