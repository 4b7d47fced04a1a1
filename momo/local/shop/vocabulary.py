"""Vocabulary of the demo shop: its category tree, and the parts that product names are made of.

Brands are invented. Departments keep their own brands, so that a brand filter in the back office shows something
sensible; price ranges are list prices in New Taiwan dollars.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple


class Department(NamedTuple):
    """A department, with the parts of its products' names."""

    name: str
    brands: list[str]
    features: list[str]
    specs: list[str]


class Leaf(NamedTuple):
    """One crawlable category: its number of the department, its names, list prices and goods."""

    department: int
    path: list[str]
    low: int
    high: int
    goods: list[str]


# Of each department: its name; brands, features and specifications of its products; and its leaves, one a line, as
# "group/leaf lowest-highest goods goods …". A group without a leaf is a category of level 2.
_TREE = (
    (
        "美妝保養",
        "沐光|Lumière 露米兒|淨肌研|HANAMI 花見|植萃師|AQUA LAB|蘭蔻娜|Dr.Moon 月博士|ＫＩＲＥＩ|L'Été",
        "保濕|美白|抗皺緊緻|舒緩敏弱|玻尿酸|控油淨膚|煥采亮澤|高效修護|清爽不黏膩|胺基酸",
        "30ml|50ml|150ml|200ml x2入|5片/盒|75g|超值2入組|（正貨）",
        """臉部保養/精華液 480-4200 精華液 安瓶精華 精華露 精華油
        臉部保養/面膜 160-1280 面膜 凍膜 泥膜 生物纖維面膜
        臉部保養/化妝水 260-1980 化妝水 機能水 噴霧 菁華水
        身體清潔/沐浴乳 150-880 沐浴乳 沐浴露 沐浴精 香皂
        美髮造型/洗髮精 180-1280 洗髮精 洗髮乳 護髮素 頭皮精華
        彩妝/唇彩 220-1580 唇膏 唇釉 潤唇膏 唇蜜""",
    ),
    (
        "食品飲料",
        "山田農場|好米日|Farm & Co|阿嬤ㄟ灶腳|海味本舖|午後茶事|金穗|豆子先生|CoCo<3|舊金山咖啡",
        "無添加|產地直送|低糖|經典原味|有機|濃郁|手工|特級|輕食|家庭號",
        "500g|1kg|12入/箱|x3包|家庭號|禮盒組|10包/袋|2入組",
        """沖泡飲品/咖啡豆 250-1480 咖啡豆 濾掛咖啡 即溶咖啡 拿鐵
        休閒零食/餅乾 130-780 餅乾 蘇打餅 蛋捲 堅果塔
        米麵雜糧/白米 180-980 香米 糙米 越光米 五穀米
        飲料/氣泡水 200-980 氣泡水 礦泉水 綠茶 果汁
        生鮮冷凍/海鮮 290-2980 鮭魚 白蝦 干貝 鯛魚片
        生鮮冷凍/水餃料理 160-890 水餃 鍋貼 湯圓 滷味""",
    ),
    (
        "家電",
        "KAZE 風工房|日和電器|NORDEN|藍鯨|禾聯光|TOKIWA 常盤|SOLARA|大同心|iHome|晴電",
        "一級能效|靜音|智慧變頻|DC直流|大容量|WiFi遠控|台灣製|觸控式|多功能|節能",
        "單台|白色|奶油色|2025新款|一年保固|贈濾網|福利品|旗艦款",
        """季節家電/電風扇 790-6900 電風扇 循環扇 立扇 塔扇
        季節家電/除濕機 3900-18900 除濕機 清淨除濕機 防潮箱
        廚房家電/氣炸鍋 1490-8900 氣炸鍋 氣炸烤箱 烤箱 微波爐
        廚房家電/電子鍋 1290-12900 電子鍋 電鍋 壓力鍋 快煮壺
        生活家電/吸塵器 1990-22900 吸塵器 掃地機器人 手持吸塵器 除蟎機
        美容家電/吹風機 690-9900 吹風機 整髮器 電動牙刷 刮鬍刀""",
    ),
    (
        "3C週邊",
        "VOLTA|極速狼|NANO+|鐵甲|PIXELY|雲端客|Orbit 軌道|快充王|ＨＹＰＥＲ|Kabel",
        "快充|Type-C|藍牙5.4|氮化鎵|磁吸|防摔|降噪|4K|輕薄|RGB電競",
        "黑色|白色|二代|2入組|Pro版|標準版|保固一年|福利品",
        """手機週邊/行動電源 290-2490 行動電源 充電器 充電線 無線充電座
        手機週邊/保護殼 190-1290 保護殼 玻璃貼 手機支架
        耳機喇叭/藍牙耳機 490-8990 藍牙耳機 耳罩耳機 喇叭 麥克風
        電腦週邊/鍵盤滑鼠 290-5990 機械鍵盤 無線滑鼠 滑鼠墊 視訊鏡頭
        儲存裝置/隨身碟 199-4990 隨身碟 記憶卡 行動硬碟 SSD
        螢幕 2990-19900 電競螢幕 商用螢幕 曲面螢幕""",
    ),
    (
        "母嬰用品",
        "小樹苗|Bebe Joy|樂兒|棉花糖|Pukka|安心媽咪|Little Bear|喜多多|MOMOKO|初生記",
        "超薄透氣|純棉|防脹氣|嬰幼兒專用|無螢光劑|可愛動物|大容量|柔軟親膚|安全無毒|多段調節",
        "M號|L號|0-6個月|6-12個月|2入|x4包/箱|粉色|超值箱購",
        """紙尿褲/黏貼型 300-1980 紙尿褲 黏貼尿布 夜用尿布
        餵哺用品/奶瓶 160-1480 奶瓶 奶嘴 溫奶器 消毒鍋
        童裝/包屁衣 190-980 包屁衣 連身衣 童襪 肚圍
        玩具/積木 250-3980 積木 拼圖 推車玩具 布書
        外出用品/推車 1990-16900 嬰兒推車 汽座 揹巾 媽媽包""",
    ),
    (
        "居家生活",
        "木質日常|HOLA+|收納達人|潔淨家|Linen & Life|棉田|鍋匠|生活采集|UCHI|好室研",
        "北歐風|加厚|可折疊|日系|免打孔|防水|抗菌|大容量|304不鏽鋼|天絲",
        "大|中|小|2入組|3入組|白色|灰色|三件組",
        """寢具/枕頭 290-3980 枕頭 記憶枕 乳膠枕 羽絨枕
        寢具/床包 390-4980 床包組 涼被 被套 保潔墊
        收納/收納箱 190-1980 收納箱 層架 抽屜櫃 衣架
        廚房用品/平底鍋 350-4580 平底鍋 炒鍋 湯鍋 保鮮盒
        清潔用品/洗衣精 150-980 洗衣精 洗衣球 柔軟精 漂白水
        清潔用品/衛生紙 169-1190 抽取式衛生紙 捲筒衛生紙 廚房紙巾 濕紙巾
        燈具 290-3990 檯燈 吸頂燈 小夜燈 立燈""",
    ),
    (
        "保健營養",
        "葡眾生技園|每日元氣|NutraOne|康健堂|益生園|BioGold|三合生醫|善存美|Omega°|植本生技",
        "高濃度|專利|素食可|長效|複方|日本原裝|小分子|兒童|女性|銀髮",
        "60顆/盒|30包/盒|90錠|x3盒|120粒|2盒組|家庭號|30入",
        """維他命/綜合維他命 280-2280 綜合維他命 維他命C B群 葉酸
        機能保健/益生菌 390-2980 益生菌 酵素 膳食纖維
        機能保健/魚油 420-2880 魚油 葉黃素 紅麴 Q10
        美容保健/膠原蛋白 490-3280 膠原蛋白 膠原飲 珍珠粉
        營養補充/乳清蛋白 590-3480 乳清蛋白 燕麥飲 滴雞精""",
    ),
    (
        "寵物用品",
        "毛孩日記|Paw & Claw|喵星人|汪喜|Catopia|鮮糧家|Doggo|寵愛|NatureBite|貓奴商會",
        "無穀|低敏|全齡|室內貓|高齡犬|凍乾|除臭|耐咬|主食級|大包裝",
        "M|L號|2入組|6入組|箱購|大包裝|單入|試用組",
        """貓咪/貓糧 260-2980 貓糧 貓罐頭 貓肉泥 貓草
        貓咪/貓砂 199-1580 貓砂 豆腐砂 礦砂 貓砂盆
        狗狗/狗糧 290-3280 狗糧 狗罐頭 潔牙骨 狗零食
        狗狗/外出用品 190-2980 牽繩 寵物推車 外出籠 胸背帶
        水族 150-4980 魚缸 過濾器 飼料""",
    ),
    (
        "流行服飾",
        "ROOTS 根|織日|Mode&Co|風行者|L.A. GIRL|棉慕|Amélie|簡衣|UNO 1|藍調",
        "涼感|修身|顯瘦|寬鬆|透氣|彈力|韓版|防曬|經典|大尺碼",
        "M|L|XL|F|黑色|米白|焦糖色|2件組",
        """女裝/上衣 250-1980 T恤 襯衫 針織衫 背心
        女裝/洋裝 390-3280 洋裝 長裙 套裝
        男裝/外套 590-4980 外套 風衣 羽絨外套 背心
        內著/襪子 129-680 短襪 長襪 隱形襪 除臭襪
        鞋包/休閒鞋 490-4280 休閒鞋 涼鞋 拖鞋 帆布鞋
        鞋包/後背包 450-4680 後背包 側背包 托特包 皮夾""",
    ),
    (
        "運動戶外",
        "Trekka|山行者|ACTIVE+|飛鷹|Kestrel|動能|北緯23°|湧動|PEAK|WAVE RIDER",
        "輕量|防潑水|專業級|快乾|碳纖維|戶外|折疊|緩震|透氣|進階款",
        "單入|2入組|標準款|進階款|黑色|湖水藍|M|L",
        """健身器材/啞鈴 290-5980 啞鈴 壺鈴 彈力帶 健腹輪
        健身器材/瑜珈墊 290-2480 瑜珈墊 瑜珈柱 瑜珈磚
        露營/帳篷 990-19800 帳篷 天幕 睡袋 露營椅
        登山/登山杖 390-4980 登山杖 頭燈 登山背包 雨衣
        單車/車燈 250-3980 車燈 安全帽 打氣筒 水壺架
        運動服飾 350-3280 運動褲 排汗衫 運動內衣""",
    ),
)

PROMOTIONS = ("", "★滿千折百★", "登記送 mo 幣 5%", "【買2送1】限量搶購", "分期0利率｜免運", 'VIP 專屬 "加碼" & 滿額贈')
SALES_TEXTS = ("", "熱銷50", "總銷量>100", "總銷量>500", "熱銷上千件", "總銷量>3,000", "熱銷上萬件")
ICONS = ("速達", "超取", "折價券", "5%mo幣", "贈品", "TV熱銷", "分期0利率")
# Product names of real shops hold all of these somewhere; a crawler must keep them as they are.
FLOURISHES = ("{} ✨新包裝✨", "🔥{}🔥", "{}（ＮＥＷ）", "{} <限定款>", '{} "加大版"', "{} & 旅行組", "{}'26 新款")

DEPARTMENTS = [
    Department(name, brands.split("|"), features.split("|"), specs.split("|"))
    for name, brands, features, specs, _ in _TREE
]


def _leaf(department: int, line: str) -> Leaf:
    path, prices, *goods = line.split()
    low, _, high = prices.partition("-")
    return Leaf(department, [DEPARTMENTS[department].name, *path.split("/")], int(low), int(high), goods)


# Departments take turns, so that a shop of six categories still has six departments.
LEAVES = [
    _leaf(department, line)
    for lines in zip_longest(*(leaves.splitlines() for *_, leaves in _TREE))
    for department, line in enumerate(lines)
    if line
]
