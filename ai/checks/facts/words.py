"""Claims without an amount: ranks, promotions, origins, certifications, awards, patents, endorsements, negative claims.

Each pattern is bounded in what it repeats, so that the time grows with the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ai.checks.facts.items import Item, Kind
from ai.checks.facts.numbers import NUMERALS, read_chinese
from ai.checks.facts.units import UNITS

_N = rf"(?:\d{{1,3}},\d{{3}}|\d{{1,6}}|[{NUMERALS}]{{1,6}})"


def _firsts(alternatives: str) -> str:
    """The first characters of words: a look at them spares most places the whole pattern."""
    return "".join(sorted({word[0] for word in alternatives.split("|")}))


# ── Ranks ────────────────────────────────────────────────────────────────────────────────────────────────────────────
_FIELD = "全台|全國|全球|全世界|世界|亞洲|全亞洲|國際|全網|全通路|業界"
_RANK_FIELD = re.compile(_FIELD)
_RANK = re.compile(
    r"(?=[nt排第前冠亞季榜銷霸暢熱人評最賣稱龍市])"
    r"(?:"
    r"(?<![a-z])(?:no\.? ?|top\.? ?|排名第?)(?P<number>\d{1,3}(?![\d.]|%))"
    r"|第[一1](?:名|位|品牌|選擇|首選"
    r"|大品牌)?"
    r"(?![副顆雙輛把張本座隻枚條套杯碗包罐次眼步天線口層道個款件瓶代課站支章批週周月日年點堂篇季手組盒片滴關桶時印人階段型種劑格排\d])"
    r"|第(?P<place>[二三四五六七八九十]|\d{1,3})名|前(?P<front>[二三四五六七八九十百]|\d{1,3})(?:大|強)(?![原理成步重因特賣優亮功主])|冠軍|亞軍|季軍|榜首|銷冠|霸榜|排行榜|暢銷榜|熱銷榜|人氣王"
    r"|銷售王|銷量王|評價王|排行第?[一1]"
    r"|最暢銷|最熱賣|最熱銷|銷量最[高好]|賣最好|榜單|稱霸|霸主|龍頭(?=品牌|地位|老大)|市佔率?最高"
    r")"
)
_UNRANKED = re.compile("(?:不敢[說稱]|不自[稱詡]|不求)$")  # 我們不敢說第一
_RANK_WORDS = {"亞軍": "2", "季軍": "3", "排行榜": "榜", "暢銷榜": "榜", "熱銷榜": "榜", "榜單": "榜"}

# ── Promotions ───────────────────────────────────────────────────────────────────────────────────────────────────────
_EVENTS = (
    "雙11|雙十一|雙12|雙十二|雙10|週年慶|周年慶|黑五|黑色星期五|618(?=購物|年中|檔"
    "|慶|優惠|活動|大促)|年中慶|年終慶|會員日"
    "|(?:母親節|父親節|情人節|聖誕節?|中秋節?|開學季|春節|新年)(?=限[定時]|優惠|特惠|活動|檔期|特賣|特價|大促)"
)
# After 送: to whom or where, so that it is no gift of the shop.
_RECEIVERS = (
    "禮達貨到給長媽爸女男人老客朋自進出風走修洗子往別外你妳我他她親同閨婆公姐妹哥弟兒孩寶情心暖溫愛祝上下回去來的完餐醫檢驗審交"
    "父母家主另小爺奶阿師新鄰學毛寵貓狗一二兩三四五六七八九十\\d"
)
_GIFT = rf"(?:(?![{NUMERALS}半])[\u4e00-\u9fff]){{0,4}}"
_PROMOTION = re.compile(
    rf"(?=[買第任滿\d{NUMERALS}到優點刷%回特退貨政免運限最倒今即只快閃贈加附隨來好下獨首送再還抽優折現購c分清出本月領雙週周母父情聖春新黑年中開會全無不])"
    r"(?:"
    rf"買(?P<buy>{_N})[件瓶盒入組包罐支條片個雙箱袋杯]?(?:就|再|即|,)?送(?P<get>{_N})"
    rf"|第(?P<nth>{_N})[件瓶盒入組包罐支條片個雙箱袋杯] ?(?:只要|享|打|就|,)?(?:(?P<nthoff>{_N}(?:\.\d)?)折"
    rf"|(?P<nthfor>[1-9]\d{{0,4}})元|(?P<nthhalf>半價|對折)|(?P<nthfree>免費|0元|零元))"
    rf"|(?<!\d)(?:任選|任|滿|買)?(?P<some>[2-9]|10|[一二兩三四五六七八九十])[件瓶盒入組包罐支條片個雙箱袋杯](?:以上)?(?:即|就)?(?:享"
    rf"|打)?(?P<someoff>(?:\d{{1,2}}|[{NUMERALS}]{{1,2}})(?:\.\d)?)折(?![\d{NUMERALS}])"
    rf"|滿(?P<over>{_N})元?送(?P<back>{_N})"
    r"|(?P<全館免運>(?:全館|全面|一律|無條件|不限金額|全店)免運費?)|(?P<免運>免運費?|運費0元|零運費|0運費"
    r"|免運費)|(?P<限量>限量(?!版))"
    r"|(?P<最後>最後(?:\d{1,2}|[一二兩三四五])[天日]|只有今[天日]|今[天日]截止|限今[天日]|今[天日]限定|只[到限剩]今[天日]"
    r"|最後一天|只剩[一二三\d][天日]"
    r"|(?:只到|限到|優惠到|活動到|特價到|到)(?:本|這)(?:周|禮拜|星期)[一二三四五六日天末]|只到(?:周|禮拜|月底|明天|今晚))"
    r"|(?P<滿額贈>滿額[贈禮送])|(?P<加購>加[1一]元多[1一]件|[1一]元加購)"
    r"|(?P<限時>限時|本[周月](?:限定|截止|結束)|月底(?:前|截止|結束)|最後倒數|倒數(?:計時)?|即將截止|最後機會"
    r"|最後一波|限期|限定期間|快閃|閃購)"
    r"|(?P<贈品>贈品|加贈|附贈|贈送|隨貨贈|隨附贈|來店禮|好禮送|下單即?就?[送贈]|買就送|買送(?![達貨到給])"
    rf"|買即送|(?<![^，。!?;\n ✨🎁+])送(?![{_RECEIVERS}]){_GIFT}"
    rf"|(?:下單|現在買|結帳|訂購|滿額|入手)(?:就|即|再|還|立即|馬上)?送(?![禮達貨到給]){_GIFT}"
    r"|[再還加即免]費?送(?![達貨到])|免費贈|加碼送|獨家贈|首購禮|送好禮"
    r"|買[^，。!?;\n送\d]{1,6}送(?!禮)|送(?!禮)[^，。!?;\n送]{0,5}(?:化妝包|旅行組|小樣|體驗組|提袋|保溫杯|購物袋"
    r"|禮盒|好禮|配件|收納|隨身瓶|水壺|毛巾|襪|手套|滑鼠|耳機|刷|墊|香皂|髮圈|公仔|正貨|[一二三兩\d][瓶入包組盒片個份]))"
    r"|(?P<回饋>(?:點數|現金|刷卡|滿額|購物|%)回饋|刷卡(?:再|享|優惠)|回饋金)"
    r"|(?P<退稅>退稅|貨物稅|政府補助)"
    r"|(?P<抽獎>抽獎|抽好禮|抽大獎|抽iphone)|(?P<加價購>加價購|加購價)"
    r"|(?P<免費>免費(?:試用|體驗|索取|領取|試吃|兌換))"
    r"|(?P<優惠券>領券|優惠券|折價券|折扣碼|優惠碼|購物金|現金券|coupon)|(?P<分期>[零0]利率|免息分期"
    r"|分期[零0]利率)|(?P<清倉>清倉|出清)|(?P<退費>無效退[費款]|不滿意[包可]?退[費款貨]|退費保證|滿意保證)"
    rf"|(?P<event>{_EVENTS})(?!節?[前後])"
    r")"
)

# ── Origins ──────────────────────────────────────────────────────────────────────────────────────────────────────────
_COUNTRIES = (
    "日本|韓國|南韓|法國|德國|義大利|英國|美國|瑞士|荷蘭|澳洲|紐西蘭|加拿大|西班牙|葡萄牙|比利時|瑞典|挪威"
    "|丹麥|芬蘭|冰島|奧地利|波蘭|捷克|希臘|俄羅斯|土耳其|以色列"
    "|印度|泰國|越南|印尼|馬來西亞|新加坡|菲律賓|中國|大陸|香港|巴西|智利|秘魯|阿根廷|墨西哥|埃及|摩洛哥|南非"
    "|衣索比亞|肯亞|牙買加|瓜地馬拉|哥斯大黎加|盧安達|厄瓜多|馬達加斯加|波爾多|蘇格蘭|愛爾蘭|塔斯馬尼亞|喜馬拉雅|死海|青森|宇治|哥倫比亞|斯里蘭卡|保加利亞"
    "|北海道|東京|大阪|京都|沖繩|九州|靜岡|首爾|濟州島?|巴黎|普羅旺斯|米蘭|托斯卡尼|倫敦|紐約|加州|阿拉斯加"
    "|夏威夷|北歐|歐洲|歐美|阿里山|梨山|大禹嶺|杉林溪|日月潭|拉拉山|鹿谷|古坑|玉井|大湖|麻豆|官田|美濃|坪林|關山(?!門)|池上|南投|屏東|花蓮|台東|宜蘭|嘉義|雲林|苗栗|彰化|台南|澎湖|金門|埔里|池上|台灣"
    "|mit(?![a-z])"
    "|japan|korea|france|germany|italy|usa|taiwan|switzerland|australia"
)
# What a text only compares with: 宛如置身普羅旺斯.
_LIKE = re.compile("[如像佛若]|置身|媲美|彷|飛往|前往|去|逛")
_MADE = "製造|製|原裝進口|原裝|進口|生產|出品|產地|原產|產(?![品生業後])|直送|空運|直輸|直購"
_ORIGIN = re.compile(
    rf"(?=[{_firsts(_COUNTRIES)}m產原源來進平公國歐在本])"
    r"(?:"
    rf"(?P<from>made in |產地[:為是]?|原產地[:為是]?|源自|來自|進口自|原產於"
    rf"|產自)?(?P<country>{_COUNTRIES})(?P<made>[境本]?(?:{_MADE}))?|(?P<short>[日韓德美泰法英義])製(?![作程造定成圖])"
    r"|(?P<import>原裝進口|原裝輸入|平行輸入|公司貨|國外進口|歐洲進口|進口(?!關稅|商))|(?P<local>國產"
    r"|在地(?=生產|製造|種植)|本土(?=生產|製造|種植))"
    r")"
)
_COUNTRY_NAMES = {
    "mit": "台灣", "taiwan": "台灣", "南韓": "韓國", "korea": "韓國", "大陸": "中國", "japan": "日本", "france": "法國",
    "germany": "德國", "italy": "義大利", "usa": "美國", "switzerland": "瑞士", "australia": "澳洲", "濟州": "濟州島",
    "日": "日本", "韓": "韓國", "德": "德國", "美": "美國", "泰": "泰國", "法": "法國", "英": "英國", "義": "義大利",
}  # fmt: skip
# A country before one of these says where something else is or comes from: 日本旅遊, 韓國女團.
_ELSEWHERE = re.compile(
    r"旅[遊行]|自由行|[式風系味]|女星|女團|男團|男星|偶像|歐巴|歐爸|妹|人(?!參)|街頭|冬天|夏天|天氣|節目|影集"
    r"|電影|必買|代購|在地"
)

# ── Certifications, awards, patents, tests ───────────────────────────────────────────────────────────────────────────
_CERTIFICATION = re.compile(
    r"(?=[a-z有清產小健環節省微衛食許國歐臨科實研醫經農標政官多世級認驗核檢送合])"
    r"(?:"
    r"(?<![a-z])(?P<latin>sgs|iso ?\d{0,5}(?:-\d)?|c?gmp|haccp|fda|fsc|bsmi|ncc|ecocert|cosmos|usda|halal"
    r"|ifos|tuv|rohs|oeko-tex|peta|vegan|ce(?=認證|標章|安規)"
    r"|[a-z]{2,12}(?=(?:雙|國際)?(?:認證|驗證|標章))"
    r"|energy star|cns ?\d{0,5}|msc|asc|brc|ul(?=認證)|kosher|nsf|bpom|jas|gots)(?![a-z])"
    r"|(?P<word>有機|清真|產銷履歷|小綠人|健康食品認證|環保標章|節能標章|省水標章|微笑標章|衛福部|衛生福利部"
    r"|食藥署|健字號|許可證|國家標準|歐盟)"
    r"|(?P<tested>臨床(?:實證|證實|測試|實驗|驗證|研究)|科學(?:實證|證實)|實驗證[實明]|研究證[實明]"
    r"|實測證[實明]|醫學(?:實證|證實))"
    r"|(?P<body>國家|經濟部|農業部|農委會|環境部|環保署|標檢局|國際|政府|官方|多國"
    r"|世界級)?(?:級)?(?P<any>認證|驗證|核可|核准|檢驗合格|檢驗通過|檢測合格|檢驗|送驗|標章"
    r"|合格證)(?![碼中信])"
    r")"
)
_AWARD = re.compile(
    r"(?=[a-z紅米品金特頭一二三白雙銀銅首大優評世國百十星諾美風得獲獎榮奪抱屢])"
    r"(?:"
    r"(?P<award>monde selection|紅點|(?<![a-z])if(?:設計)?獎|米其林(?P<star>[一二三]星)?"
    r"|品質評鑑|品質金[獎賞]|金點|(?P<level>特金|白金|雙金"
    r"|金|銀|銅|首|大|特優|優等|評審|[特頭一二三]等)獎(?![金品勵章券])"
    r"|世界麵包|itqi|(?<![a-z])red dot|國家品質|sn?q(?![a-z])|國家玉山|百大"
    r"|十大(?=[伴名美品好推])|金牌|銀牌|銅牌|星獎|諾貝爾"
    r"|美妝大賞|大賞|風味絕佳|評鑑)"
    r"|(?P<any>得獎|獲獎|獎項|榮獲|獎肯定|奪獎|抱回大獎|得主|屢獲|(?<![抽有中開頒領摸])獎(?![金品勵章券學項狀盃杯座]))"
    r")"
)
_CITY = re.compile(
    "(?:台北|新北|基隆|桃園|新竹|苗栗|台中|彰化|南投|雲林|嘉義|台南|高雄|屏東|宜蘭|花蓮|台東|澎湖|金門|馬祖|台灣|全國|全台|日本|韓國|亞洲|世界|國際)市?縣?$"
)
_PATENT = re.compile(r"(?=[國多世全各專p])(?P<of>國際|多國|世界|全球|各國)?專利|patent(?:ed)?")
_WHO = (
    "皮膚科|牙醫|中醫|名醫|醫師|醫生|營養師|藥師|護理師|獸醫|專家|名人|明星|網紅|網美|藝人|部落客"
    r"|youtuber|kol|達人|名模|模特兒|女星|男星|天后|影后|女神|空姐|貴婦|化妝師|彩妝師|造型師|美容師"
    r"|設計師|主廚|大廚|名廚|廚師|歌王|歌后|主播|球星|球員|飯店|航空|店員|櫃姐|藥妝店|婆婆媽媽"
    r"|空服員|大師|職人|教練|國手|選手|老師|名師|國家隊|奧運|運動員|總統|皇室|名媛|媒體|雜誌|網友|醫美|醫院|診所"
    r"|博士|教授|美妝編輯|編輯|營養學家"
)
_OTHER = "代言|媒體報導|新聞報導|電視報導|節目推薦|節目介紹|御用"
_ENDORSEMENT = re.compile(
    rf"(?=[{_firsts(f'{_WHO}|{_OTHER}')}])(?:(?P<who>{_WHO})"
    r"[^，。!?;、\n]{0,6}?(?P<act>推薦|推荐|愛用|認可|背書|代言|指定|首選|加持|監製|研發|掛保證|保證|好評"
    r"|同款|激推|大推|狂推|力推|盛讚|肯定|開箱|認證|必備|私藏|囤貨|回購|種草|選用|[穿用吃喝]過"
    r"|[都也][在愛][用擦吃喝穿敷戴買]|下都?在[用擦吃喝穿敷戴買]|都說讚|搶著用|報導|御用|親自|激讚)"
    rf"|(?P<other>{_OTHER}))"
)

_SPECIALTY = re.compile("[\u4e00-\u9fff]{1,2}科$")

# ── Negative claims ──────────────────────────────────────────────────────────────────────────────────────────────────
_SUBSTANCES = (
    "酒精|(?<![\u4e00-\u9fff])乙醇|矽靈|防腐劑|香料|香精|色素|塑化劑|螢光劑|螢光|麩質|咖啡因|蔗糖|糖|反式脂肪|農藥|石化|礦物油"
    "|paraben|皂鹼|皂|重金屬|甲醛|雙酚a|bpa|味精|澱粉|乳糖|膽固醇|油(?!光|膩|品|煙)|人工甘味|甘味劑"
    "|甜味劑|添加物?|化學|西藥|激素|類固醇|動物實驗|動物性|基改|基因改造|硫酸鹽|sls|sles|氟|鋁|鉛|汞|脂肪"
    "|熱量|油脂|鈉|鹽|漂白|染劑|界面活性劑|致敏|過敏(?![肌者體])|刺激|殘留|毒|麩|奶精|起雲劑|膠|香味|蛋|奶|堅果|酸|藥"
)
_ABSENT = "不含|未含|不添加|未添加|無添加|沒添加|沒有添加|零添加|0添加|不使用|未使用|不加|沒有加|無含|拒絕添加|完全沒有"
_NEGATIVE = re.compile(
    r"(?=[不未無沒零0完拒非])"
    r"(?:"
    rf"(?:{_ABSENT})(?P<list>[^，。!?;\n!()「」]{{0,30}})"
    rf"|(?<![\d.點一二三四五六七八九十全有])[無零0](?:人工|任何|化學"
    rf"|多餘)?(?P<noun>{_SUBSTANCES})(?![味感道])|非(?P<non>基改|基因改造|動物實驗)"
    r")"
)
_FREE_OF = re.compile(rf"(?P<noun>{_SUBSTANCES}|alcohol|sugar|gluten|fragrance|oil)[ -]?free")
_LISTED = re.compile("[、/和與及或跟]")
SUBSTANCE = re.compile(_SUBSTANCES)
_FREE = {
    "alcohol": "酒精",
    "sugar": "糖",
    "gluten": "麩質",
    "fragrance": "香料",
    "paraben": "防腐劑",
    "乙醇": "酒精",
    "bpa": "雙酚a",
    "蔗糖": "糖",
    "香精": "香料",
    "添加物": "添加",
}
# Sales without a number.
_SOLD_OUT = re.compile(
    r"賣到(?:缺貨|斷貨|翻|爆|補貨|停不下來)|[缺斷]貨王|[缺斷補]貨[一二兩三四五六\\d]次|搶購一空|銷售一空|秒殺完售|完售[一二兩三四五六\\d]次"
    "|售罄|一上架就(?:賣|搶|完|秒)|供不應求|搶到缺貨"
    rf"|每(?:\d{{1,3}}|[{NUMERALS}]{{1,3}})[個位名人]?人?[^，。!?;\n]{{0,4}}就有"
)
# What is promised beside a warranty: new goods for broken ones.
_RENEWAL = re.compile("免費換新|換新機|直接換新|壞了[就即]?換|只換不修|以換代修|到府收送|終身免費")
_LOW = re.compile("(?<![最高降減])(?:低[糖鹽脂油鈉醣卡]|減[糖鹽鈉醣](?!量))(?![音價的]?[潮分])")
_VERBATIM = {Kind.SALES: _SOLD_OUT, Kind.WARRANTY: _RENEWAL, Kind.NEGATIVE: _LOW}
_HALF = re.compile("半價|對折")
_TWO = re.compile("雙(?P<unit>入|瓶|盒|包|罐|條|支|片|件)(?![裝組]?用)")
_STARS = re.compile("[★⭐☆]{3,5} ?(?=好評|評價|推薦|評分)")
_LIFELONG = re.compile(
    r"(?P<lifelong>(?:終身|永久|終生)(?:保固|維修|免費維修|保修)|延長保固|第[二三四五六七八九十2-9]年(?:免費|原廠)?保固)|保固|保修"
)


def claims(shadow: str) -> Iterator[Item]:
    """Everything that claims something without a plain amount, each pattern by itself; they may overlap."""
    for find in (_ranks, _promotions, _origins, _certifications, _others, _phrases, _negatives):
        yield from find(shadow)


def count_of(text: str) -> int:
    """A number of a promotion: 買2送1, 買二送一."""
    text = text.replace(",", "")
    return int(text) if text.isdigit() else int(read_chinese(text) or 0)


def off(text: str) -> float:
    """The share that is left: 8折 and 八折 are 0.8, 75折 and 七五折 0.75."""
    value = float(text) if text[0].isdigit() else float(read_chinese(text) or 0)
    return value / 10 if value < 10 or "." in text else value / 100


def _ranks(shadow: str) -> Iterator[Item]:
    for match in _RANK.finditer(shadow):
        if _UNRANKED.search(shadow, max(0, match.start() - 4), match.start()):
            continue
        ordinal = match["place"] or match["front"]
        place = match["number"] or str(count_of(ordinal) if ordinal else "")
        key = place or _RANK_WORDS.get(match[0], "1")
        field = _RANK_FIELD.search(shadow, max(0, match.start() - 8), match.start())
        yield Item(Kind.RANK, key, match.start(), match.end(), role=field[0] if field else "")


def _promotions(shadow: str) -> Iterator[Item]:
    for match in _PROMOTION.finditer(shadow):
        kind, key = match.lastgroup or "", match.lastgroup or ""
        if kind == "get":
            key = f"買{count_of(match['buy'])}送{count_of(match['get'])}"
        elif kind == "someoff":
            key = f"{count_of(match['some'])}件{off(match['someoff']):g}"
        elif kind == "back":
            key = f"滿{count_of(match['over'])}送{count_of(match['back'])}"
        elif kind == "贈品" and (number := re.search(r"[一二兩三\d]\w$", match[0])):
            # How many is an amount of its own.
            yield Item(Kind.PROMOTION, key, match.start(), match.start() + number.start())
            continue
        elif kind == "nthfor":
            key = f"第{count_of(match['nth'])}件{match['nthfor']}元"
        elif kind.startswith("nth"):
            left = {"nthhalf": 0.5, "nthfree": 0.0}.get(kind)
            key = f"第{count_of(match['nth'])}件{off(match['nthoff']) if left is None else left:g}"
        elif kind == "event":
            key = match["event"].replace("十一", "11").replace("十二", "12").replace("周", "週")
        yield Item(Kind.PROMOTION, key, match.start(), match.end())


def _origins(shadow: str) -> Iterator[Item]:
    for match in _ORIGIN.finditer(shadow):
        if match["import"]:
            yield Item(Kind.ORIGIN, "進口" if "進口" in match[0] else match[0], match.start(), match.end())
        elif match["local"]:
            yield Item(Kind.ORIGIN, "台灣", match.start(), match.end(), role="made")
        else:
            country = _COUNTRY_NAMES.get(match["country"] or match["short"], match["country"])
            made = (
                match["made"]
                or match["short"]
                or match["country"] == "mit"
                or (match["from"] or "").startswith(("made", "產", "原"))
            )
            elsewhere = (
                country == "台灣"
                or _ELSEWHERE.match(shadow, match.end())
                or _LIKE.search(shadow, max(0, match.start() - 6), match.start())
            )
            if not made and not match["from"] and elsewhere:
                continue
            yield Item(Kind.ORIGIN, country, match.start(), match.end(), role="made" if made else "")


def _certifications(shadow: str) -> Iterator[Item]:
    for match in _CERTIFICATION.finditer(shadow):
        key = (match["latin"] or match["word"] or ("臨床" if match["tested"] else match["body"]) or "").replace(" ", "")
        yield Item(
            Kind.CERTIFICATION, {"cgmp": "gmp", "世界級": "", "官方": ""}.get(key, key), match.start(), match.end()
        )


def _others(shadow: str) -> Iterator[Item]:
    for match in _AWARD.finditer(shadow):
        key = match["level"] or match["award"] or ""
        # 台北十大伴手禮 is another award than 高雄十大伴手禮.
        city = _CITY.search(shadow, max(0, match.start() - 3), match.start()) if key in {"十大", "百大"} else None
        start, role = (city.start(), city[0] + key) if city else (match.start(), match["star"] or "")
        yield Item(Kind.AWARD, "" if match["star"] else key, start, match.end(), role=role)
    for match in _PATENT.finditer(shadow):
        yield Item(Kind.PATENT, match["of"] or "", match.start(), match.end())
    for match in _ENDORSEMENT.finditer(shadow):
        who = {"醫生": "醫師", "名醫": "醫師"}.get(match["who"] or "", match["who"] or match["other"])
        field = _SPECIALTY.search(shadow, max(0, match.start() - 4), match.start())
        yield Item(Kind.ENDORSEMENT, who, match.start(), match.end(), role=field[0] if field else "")
    for match in _HALF.finditer(shadow):
        nth = re.search(
            f"第{_N}[件瓶盒入組包罐支條片個雙箱袋杯].{{0,2}}$", shadow[max(0, match.start() - 8) : match.start()]
        )
        if not nth:
            yield Item(Kind.DISCOUNT, "left", match.start(), match.end(), 0.5, 0.5, 0.5, 0.5)
    for match in _TWO.finditer(shadow):
        group = UNITS[match["unit"]].group
        yield Item(Kind.COUNT, "count", match.start(), match.end(), 2, 2, 2, 2, group)
    for match in _STARS.finditer(shadow):
        stars = float(len(match[0].strip(" ☆")))
        yield Item(Kind.RATING, "score", match.start(), match.end(), stars, stars, stars, stars)
    for match in _LIFELONG.finditer(shadow):
        yield Item(
            Kind.WARRANTY,
            ("保固" if not match["lifelong"] else "終身" if match[0][0] in "終永" else "延長"),
            match.start(),
            match.end(),
        )


def _phrases(shadow: str) -> Iterator[Item]:
    """What facts support only in the same words."""
    for kind, pattern in _VERBATIM.items():
        for match in pattern.finditer(shadow):
            yield Item(kind, match[0], *match.span())


def _negatives(shadow: str) -> Iterator[Item]:
    for match in _FREE_OF.finditer(shadow) if "free" in shadow else ():
        yield Item(Kind.NEGATIVE, _FREE.get(match["noun"], match["noun"]), match.start(), match.end())
    for match in _NEGATIVE.finditer(shadow):
        noun = match["noun"] or match["non"]
        if noun:
            yield Item(Kind.NEGATIVE, _FREE.get(noun, noun), match.start(), match.end())
            continue
        start, place = match.start(), match.start("list")
        for number, part in enumerate(_LISTED.split(match["list"])):
            found = SUBSTANCE.search(part[:10])
            if number and not found:
                break
            key = found[0] if found else part[:4]
            end = place + (found.end() if found else min(len(part), 4))
            yield Item(
                Kind.NEGATIVE,
                _FREE.get(key, key),
                start,
                end,
                role="添加" if "添加" in shadow[match.start() : place] else "",
            )
            place += len(part) + 1
            start = place
