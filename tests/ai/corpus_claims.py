"""Texts that break the law on advertising, and innocent ones that look alike. `⟦…⟧` marks the place."""

from __future__ import annotations

from tests.ai import corpus_claims_more

MEDICAL, FALSE, HEALTH, ABSOLUTE = "醫療效能", "誇大不實", "保健功效", "絕對用語"

# Domain, category, text.
PLAIN = """
cosmetic 醫療效能 這款乳霜能⟦治療濕疹⟧，讓寶寶一夜好眠
cosmetic 醫療效能 獨家草本配方⟦改善異位性皮膚炎⟧，全家都能用
cosmetic 醫療效能 早晚擦拭，⟦青春痘掰掰⟧不是夢
cosmetic 醫療效能 深層⟦殺菌⟧，還你乾淨臉龐
cosmetic 醫療效能 有效⟦消炎⟧鎮痛的蘆薈膠
cosmetic 醫療效能 臉部⟦排毒⟧，讓毛孔自由呼吸
cosmetic 醫療效能 ⟦平撫肌膚疤痕⟧，重拾自信
cosmetic 醫療效能 媽媽最愛，⟦淡化妊娠紋⟧的神助攻
cosmetic 醫療效能 三分鐘⟦消除黑眼圈⟧，熬夜也不怕
cosmetic 醫療效能 ⟦促進頭髮生長⟧的咖啡因洗髮精
cosmetic 醫療效能 ⟦防止掉髮⟧，養出濃密好髮量
cosmetic 醫療效能 睫毛精華液，讓⟦睫毛增長⟧兩倍
cosmetic 醫療效能 ⟦類肉毒⟧胜肽，一抹就有感
cosmetic 醫療效能 在家就能⟦換膚⟧，角質煥然一新
cosmetic 醫療效能 ⟦去痘疤⟧、淨膚色一瓶搞定
cosmetic 醫療效能 輕鬆⟦除斑⟧，找回淨透肌
cosmetic 醫療效能 ⟦香港腳⟧剋星足部噴霧
cosmetic 醫療效能 含茶樹精油，能⟦抑制痤瘡⟧
cosmetic 醫療效能 敷完⟦傷口癒合⟧得更快
cosmetic 醫療效能 ⟦對抗富貴手⟧的護手霜
cosmetic 誇大不實 ⟦活化毛囊⟧，打造強韌髮根
cosmetic 誇大不實 ⟦促進膠原蛋白增生⟧，肌膚回彈
cosmetic 誇大不實 溫熱凝膠⟦燃燒脂肪⟧，邊走邊用
cosmetic 誇大不實 ⟦豐胸⟧霜，重現傲人曲線
cosmetic 誇大不實 抹上它，⟦橘皮掰掰⟧
cosmetic 誇大不實 ⟦零過敏⟧配方，誰都能用
cosmetic 誇大不實 ⟦醫藥級⟧純淨成分
cosmetic 誇大不實 ⟦促進血液循環⟧，氣色紅潤
cosmetic 誇大不實 使用四週⟦瘦3公斤⟧的按摩霜
cosmetic 誇大不實 ⟦逆轉肌齡⟧的黑科技
cosmetic 誇大不實 ⟦增強淋巴引流⟧，臉小一號
cosmetic 誇大不實 ⟦青春永駐⟧的秘密武器
cosmetic 誇大不實 ⟦一夜變白⟧，隔天驚豔眾人
cosmetic 誇大不實 告別粗糙，⟦美白⟧全身
cosmetic 誇大不實 ⟦瞬間除皺⟧，眼周平整
food 醫療效能 每天一包⟦降血糖⟧，飯後安心
food 醫療效能 苦瓜胜肽幫你⟦對抗糖尿病⟧
food 醫療效能 ⟦預防骨質疏鬆⟧，行動自如
food 醫療效能 老祖宗的智慧，⟦補腎壯陽⟧就靠它
food 醫療效能 葉黃素⟦改善近視⟧，孩子讀書更專心
food 醫療效能 ⟦治失眠⟧的黃金組合
food 醫療效能 ⟦便秘掰掰⟧，天天順暢
food 醫療效能 紅景天⟦抗癌⟧首選
food 醫療效能 納豆激酶⟦預防血栓⟧，遠離風險
food 醫療效能 ⟦清肺⟧潤喉，空污必備
food 醫療效能 喝出好人生，⟦遠離痛風⟧
food 醫療效能 ⟦改善過敏體質⟧的益生菌
food 醫療效能 ⟦調節內分泌⟧，好朋友準時報到
food 醫療效能 ⟦感冒⟧剋星，冬天必喝
food 醫療效能 薑黃濃縮，⟦舒緩關節炎⟧不適
food 醫療效能 ⟦取代藥物⟧的天然選擇
food 醫療效能 ⟦降低膽固醇⟧，血管更年輕
food 誇大不實 ⟦增強免疫力⟧，換季不煩惱
food 誇大不實 ⟦提升記憶力⟧，考試順利
food 誇大不實 ⟦解酒⟧神器，應酬必備
food 誇大不實 纖維飲⟦排毒⟧順暢一整天
food 誇大不實 ⟦清宿便⟧，小腹平坦
food 誇大不實 一個月⟦瘦5公斤⟧不是神話
food 誇大不實 ⟦減肥⟧茶飲，好喝無負擔
food 誇大不實 大餐救星，⟦阻斷油脂⟧吸收
food 誇大不實 ⟦躺著瘦⟧，睡前一包
food 誇大不實 膠原蛋白粉⟦豐胸⟧又養顏
food 誇大不實 ⟦改善皺紋⟧，由內而外發光
food 誇大不實 穀胱甘肽⟦美白⟧飲
food 誇大不實 孩子的⟦轉大人⟧營養品
food 誇大不實 ⟦延緩老化⟧的超級食物
food 誇大不實 讓爸爸⟦重振雄風⟧
food 誇大不實 ⟦護肝⟧達人，熬夜必備
food 誇大不實 ⟦活化大腦⟧，思緒清晰
food 誇大不實 ⟦促進血液循環⟧，手腳不冰冷
food 保健功效 本品為⟦健康食品⟧，安心食用
food 保健功效 ⟦調節血脂⟧好幫手
food 保健功效 ⟦輔助調整過敏體質⟧的乳酸菌
food 保健功效 紅麴⟦調節血糖⟧膠囊
food 保健功效 天天一瓶，⟦不易形成體脂肪⟧
supplement 醫療效能 連續食用，⟦治療高血壓⟧不求人
supplement 醫療效能 ⟦預防癌症⟧，守護家人
supplement 醫療效能 魚油⟦改善心血管疾病⟧
supplement 醫療效能 ⟦降血壓⟧效果明顯
supplement 誇大不實 兩週⟦瘦身⟧有感
supplement 誇大不實 ⟦豐胸⟧的秘密
general 醫療效能 磁石項鍊⟦改善高血壓⟧
general 醫療效能 能量手環⟦促進血液循環⟧
general 醫療效能 足貼睡前一貼，⟦排毒⟧一整晚
general 醫療效能 ⟦治療失眠⟧的負離子枕
general 醫療效能 護膝石墨烯布料⟦舒緩關節炎⟧
general 醫療效能 矽膠坐墊⟦矯正骨盆⟧
general 醫療效能 遠紅外線棉被⟦增強免疫力⟧
general 誇大不實 震動腰帶讓你⟦躺著瘦⟧
general 誇大不實 穿上就⟦豐胸⟧的內衣
general 誇大不實 ⟦一個月瘦8公斤⟧的跳繩
medical_device 誇大不實 ⟦根治⟧腰痛的低週波
medical_device 誇大不實 使用一次⟦痊癒⟧的貼片
medical_device 誇大不實 ⟦免開刀⟧，在家輕鬆用
medical_device 誇大不實 ⟦醫師推薦⟧的血壓計
medical_device 誇大不實 檢測⟦100%準確⟧
general 絕對用語 ⟦全台第一⟧的行李箱品牌
general 絕對用語 ⟦業界唯一⟧雙層隔熱設計
general 絕對用語 ⟦最便宜⟧就在這裡
general 絕對用語 ⟦全球最強⟧吸力的吸塵器
cosmetic 絕對用語 ⟦絕對有效⟧，不滿意包退
cosmetic 絕對用語 ⟦零副作用⟧的保養
cosmetic 絕對用語 ⟦保證美白⟧的化妝水
food 絕對用語 ⟦百分百有效⟧的配方
food 絕對用語 ⟦保證瘦⟧，無效退錢
food 絕對用語 ⟦銷量第一⟧的滴雞精
supplement 絕對用語 ⟦無副作用⟧，長輩也能吃
medical_device 絕對用語 ⟦立即見效⟧的熱敷墊
general 絕對用語 ⟦永久有效⟧的防霉劑
general 絕對用語 洗淨力⟦NO.1⟧
general 絕對用語 ⟦史上最強⟧防水手機袋
food 醫療效能 有⟦痛風⟧的人更要吃
food 醫療效能 每天兩粒，⟦血壓穩穩降⟧
cosmetic 醫療效能 漱口水預防蛀牙、⟦牙齦出血⟧
supplement 誇大不實 三個月軟骨⟦長回來⟧
medical_device 誇大不實 ⟦藝人代言⟧推薦的血壓計
general 絕對用語 ⟦史上最輕⟧的筆電
"""
DISGUISED = """
food 誇大不實 每天一杯⟦減 肥⟧茶
food 誇大不實 每天一杯⟦減🔥肥⟧茶
food 誇大不實 這包⟦减肥⟧超有感
food 誇大不實 這包⟦減-肥⟧超有感
food 誇大不實 這包⟦減.肥⟧超有感
food 誇大不實 ⟦減​肥⟧聖品登場
food 誇大不實 ⟦ㄐㄧㄢˇ肥⟧聖品登場
food 誇大不實 ⟦減ㄈㄟˊ⟧聖品登場
food 誇大不實 ⟦jian肥⟧聖品登場
food 誇大不實 ⟦減月巴⟧聖品登場
food 誇大不實 ⟦瘦＊身⟧飲上市
food 誇大不實 ⟦ㄕㄡˋ身⟧飲上市
food 誇大不實 ⟦躺，著，瘦⟧的秘密
food 誇大不實 幫你⟦排。毒。素⟧
food 誇大不實 喝了⟦增💪強💪免💪疫💪力⟧
food 醫療效能 幫助⟦降☆血☆糖⟧
food 醫療效能 ⟦祛　濕⟧必喝
food 醫療效能 ⟦抗ㄞˊ⟧蔬果
food 醫療效能 ⟦治liao糖尿病⟧
food 醫療效能 ⟦预防中风⟧从今天开始
food 醫療效能 ⟦壯_陽⟧好幫手
cosmetic 醫療效能 ⟦祛　斑⟧精華
cosmetic 醫療效能 ⟦去/疤⟧凝膠
cosmetic 醫療效能 ⟦治 療 濕 疹⟧的草本膏
cosmetic 醫療效能 ⟦冶療濕疹⟧的草本膏
cosmetic 醫療效能 ⟦消~炎⟧蘆薈膠
cosmetic 醫療效能 ⟦生♥髮⟧養髮液
cosmetic 醫療效能 ⟦换肤⟧级精华
cosmetic 醫療效能 ⟦殺·菌⟧洗面乳
cosmetic 誇大不實 ⟦豐⭐胸⟧霜
cosmetic 誇大不實 ⟦丰胸⟧霜
cosmetic 誇大不實 ⟦燃 燒 脂 肪⟧按摩膏
cosmetic 誇大不實 ⟦零-過-敏⟧配方
general 絕對用語 ⟦全臺第①⟧的品牌
general 絕對用語 洗淨力⟦ＮＯ．１⟧
general 醫療效能 ⟦促進⚡血液⚡循環⟧的手環
supplement 醫療效能 ⟦降　血　壓⟧好幫手
"""
INNOCENT = """
food 痛風患者請諮詢醫師後食用
food 苦甜交織，是治癒心情的小甜點
general 抗癌基金會義賣杯，愛心不打烊
cosmetic 去除毛孔髒污，洗後清爽不緊繃
cosmetic 高效防曬SPF50+，隔離紫外線
cosmetic 玻尿酸保濕，潤澤一整天
cosmetic 抗皺紋精華，使肌膚緊緻有彈性
cosmetic 舒緩肌膚乾燥，柔嫩觸感
cosmetic 含熊果素，溫和美白
cosmetic 去除老廢角質，肌膚光滑
cosmetic 敏感肌也能安心使用
cosmetic 痘痘肌適用的清爽乳液
cosmetic 遮蓋斑點與黑眼圈的遮瑕膏
cosmetic 染白髮專用，遮蓋白髮一次到位
cosmetic 使用前若有紅疹請停止使用並諮詢醫師
cosmetic 強健髮根，增添髮絲光澤
cosmetic 天然養生髮膜，柔順不打結
cosmetic 先生髮色偏深也能上色
cosmetic 本產品為化粧品，不具治療疾病之效能
cosmetic 牙膏含氟，防止蛀牙，清新口氣
cosmetic 止汗除臭，清爽一夏
cosmetic 減少頭皮屑，調理頭皮
cosmetic 修護受損髮質，撫平毛躁
cosmetic 淡化細紋，青春光采
cosmetic 促進肌膚新陳代謝，煥發光采
cosmetic 抗老化保養，延緩老化從現在開始
cosmetic 持久不脫妝，色彩飽和
cosmetic 眼影斑斕色系，氣質滿分
cosmetic 醫生館品牌的人氣面膜
cosmetic 預防曬黑，全家大小的防曬
cosmetic 使睫毛濃密纖長的睫毛膏
cosmetic 淨白透亮，勻亮膚色
cosmetic 清潔肌膚，去除多餘油脂
cosmetic 不含酒精、無香料，溫和低敏
cosmetic 使用後請洗手，避免接觸眼睛
cosmetic 炎炎夏日的清涼噴霧
cosmetic 打消你對油膩乳霜的疑慮
cosmetic 修容打亮，打造立體輪廓
cosmetic 薰衣草香氛，放鬆一天的疲憊
cosmetic 卸除彩妝與髒污，洗淨毛孔
cosmetic 唇膏滋潤，預防乾裂
cosmetic 對過敏原不放心者請先測試
cosmetic 清新花香，香味持久
food 幫助消化，使排便順暢
food 促進新陳代謝，調整體質
food 維生素A有助於維持在暗處的視覺
food 鈣有助於維持骨骼與牙齒的正常發育及健康
food 鐵有助於正常紅血球的形成
food 維生素C促進膠原蛋白的形成，有助於傷口癒合
food 養顏美容，青春美麗
food 滋補強身，營養補給
food 生津止渴，清涼解渴
food 退火降火氣，夏天必備
food 糖尿病患者請先諮詢醫師
food 孕婦及高血壓患者請洽詢醫師後食用
food 本產品不能取代藥物治療
food 本品非藥品，無治療疾病之效能
food 瘦肉與蔬菜的完美比例
food 低溫殺菌鮮乳，保留風味
food 高溫殺菌，無菌包裝
food 減糖配方，口感不減
food 肥美鮭魚，肉質細嫩
food 無添加防腐劑，安心享用
food 精選胸肉，高蛋白低脂
food 生髮菜拌麵，口感脆嫩
food 陽光果園現採直送
food 茶香回甘，尾韻持久
food 內含過敏原：牛奶、大豆
food 本產品含有花生，過敏者請勿食用
food 精神旺盛，增強體力
food 開胃小菜，促進食慾
food 排骨湯底，濃郁順口
food 美味白米，粒粒飽滿
food 健康維持，從早餐開始
food 牛肝菌菇燉飯，香濃滑順
food 幫助入睡的溫熱牛奶
food 膳食纖維可促進腸道蠕動
food 增加飽足感，點心首選
food 鋅有助於皮膚組織蛋白質的合成
food 海中風味，一口鮮甜
food 消費滿千免運
food 純素可食，無麩質
food 補充蛋白質，運動後來一杯
supplement 本產品有助於調節血脂，衛部健食字第A00000號
supplement 經動物實驗證實有助於護肝功能
supplement 胃腸功能改善，益生菌每日一包
supplement 有助於延緩骨質流失
supplement 免疫調節功能，依許可證所載
supplement 健康食品，請依建議量食用
supplement 有助於降低血中總膽固醇
supplement 抗疲勞，補充營養
supplement 高血壓患者食用前請諮詢醫師
general 治療室風格的吊燈，溫暖光線
general 抗菌砧板，好清潔
general 增高鞋墊，隱形設計
general 奶瓶消毒鍋，一鍵烘乾
general 近視眼鏡也能配戴的蛙鏡
general 令人頭痛的收納，交給它
general 解決令人頭痛的線材
general 最佳賞味期請見包裝
general 第一次露營就上手
general 最近很多人詢問的款式
general 最好先測量尺寸再下單
general 瘦身版機殼，輕薄好握
general 塑身衣彈性布料，穿著舒適
general 笑聲有感染力的玩偶
general 有效期限三年
general 原廠保證一年保固
general 蒸氣掛燙除皺，衣物平整
general 斑馬紋地毯，個性滿分
general 安全帽內襯可拆洗
general 校長高度讚賞的文具
general 紫外線殺菌燈，餐具專用
general 電池續航持久
general 空中風扇，靜音運轉
general 手指白皙的模特兒示範
general 送給最好的朋友
general 唯一缺點是太好用
general 品質保證，七天鑑賞期
general 減壓枕，釋放肩頸壓力
general 消除疲勞的泡澡球香氣
general 抗噪耳機，沉浸音樂
general 毛孩專用除毛刷
general 醫療級矽膠，觸感柔軟
general 絕對值計算機，學生首選
general 百分百純棉，親膚透氣
general 最大容量40公升
general 床墊支撐腰部，舒適好眠
general 拉提設計的手提包
medical_device 輔助治療，請依醫師指示使用
medical_device 血壓計操作簡單，長輩也能使用
medical_device 暫時緩解輕微疼痛
medical_device 耳溫槍一秒測量
medical_device 傷口敷料，透氣防水
medical_device 治療儀操作前請詳閱說明書
cosmetic 專為亞洲肌膚設計的防曬乳，SPF50+ PA++++，抵禦紫外線，預防曬黑曬傷，清爽不黏膩，妝前打底好服貼。
cosmetic 卸妝油瞬間乳化，溶解彩妝與防曬，清除毛孔髒污，不需二次清潔，敏感肌也適用。
cosmetic 持色唇釉，顯白不沾杯，一整天都不用補妝。
cosmetic 六勝肽緊緻精華，撫平乾紋與細紋，使肌膚緊實有彈性。
cosmetic 蘆薈鎮靜凝膠，舒緩日曬後的肌膚，補水降溫。
cosmetic 護手霜香氣清新，滋潤不油膩，預防乾裂。
cosmetic 身體乳添加乳木果油，鎖住水分，去角質後使用更滑嫩。
cosmetic 染髮劑遮蓋白髮，顯色自然，護髮成分減少毛躁。
cosmetic 使用前請先做過敏測試，若有紅腫搔癢請停止使用。
cosmetic 若皮膚有傷口、濕疹、紅腫等異常請勿使用。
cosmetic 含水楊酸，軟化角質，預防面皰
cosmetic 煙醯胺精華，均勻膚色，提升光澤
cosmetic 本品不含類固醇
cosmetic 不添加抗生素、重金屬檢測合格
cosmetic 胺基酸潔面，洗後不緊繃
cosmetic 粉刺、黑頭掰掰，毛孔清爽
cosmetic 去除黑頭粉刺
cosmetic 抗UV、抗汙、抗藍光
cosmetic 頭皮去角質，減少頭皮屑與異味
cosmetic 香水前調為佛手柑，尾韻白麝香，留香持久
cosmetic 牙膏潔白牙齒，清新口氣，減少牙菌斑
cosmetic 指緣油滋養指甲，預防乾裂分岔
cosmetic 化妝棉刷具組，抓粉力佳
cosmetic 消光粉餅，柔焦毛孔
cosmetic 天然草本，溫和不刺激
cosmetic 生活中的小確幸，從保養開始
cosmetic 髮油修護受損髮，防止分岔
cosmetic 美白牙貼
cosmetic 蝦紅素面膜，抗氧化、抗老
cosmetic 潤色隔離霜，修飾毛孔與暗沉
food 嚴選雲林花生，低溫烘焙，香氣濃郁，口感酥脆，是追劇配茶的好夥伴。
food 每一口都吃得到飽滿果肉，酸甜清爽，消暑解渴。
food 選用非基改黃豆，高蛋白低脂肪，補充每日所需營養。
food 膳食纖維豐富，幫助維持消化道機能，使排便順暢。
food 滴雞精採用台灣土雞，熬煮八小時，營養補給的好選擇。
food 無咖啡因，晚上喝也沒負擔，幫助入睡。
food 低GI早餐，增加飽足感，開啟活力的一天。
food 微波加熱三分鐘，快速上桌。
food 開封後請冷藏並盡快食用。
food 過敏原資訊：本產品含有牛奶、蛋、堅果。
food 苯酮尿症患者請注意：含苯丙胺酸
food 孕婦、哺乳、服用抗凝血劑及慢性病患者，食用前請諮詢醫師
food 本產品為食品，不具醫療效能
food 減少廚房油煙，料理更輕鬆
food 清肉湯底，回甘順口
food 補水解渴電解質飲
food 維生素B群有助於維持能量正常代謝
food 鈣質豐富，幫助牙齒骨骼正常發育
food 蛋白質有助於肌肉的合成
food 維生素D增進鈣吸收
food 維生素E減少自由基的產生，增進皮膚與血球的健康
food 維生素B12有助於維持神經系統的健康
food 碘合成甲狀腺激素的主要成分
food 殺青後烘焙的高山茶，香氣高雅
food 排骨酥湯、胸肉沙拉
food 鮮奶經巴氏殺菌
food 去油解膩的烏龍茶
food 銷售一空，補貨到貨
food 陪伴爸媽的貼心禮盒
food 女生最愛的草莓口味
food 冬季限定，暖心暖胃
food 豆腐乳陳年發酵，風味獨特
food 使用紫外線殺菌的飲用水
food 麻辣鍋底，讓你大呼過癮
food 一吃就停不下來的洋芋片
food 一喝就愛上的拿鐵
food 一吃就上癮
food 薄鹽無負擔，控制鈉攝取
supplement 衛部健食字第A00123號，許可功效：有助於調節血糖
supplement 有助於減少疲勞感，請詳見許可證
supplement 不易形成體脂肪功能，須配合飲食運動
supplement 經動物實驗結果證實：有助於維持骨密度
supplement 輔助調節血壓功能
supplement 本產品供保健用，請勿取代藥物治療
supplement 糖尿病人請依醫師指示食用
general 大容量收納箱，堅固耐用，可堆疊，客廳臥室都適用。
general 吸塵器搭載HEPA濾網，過濾灰塵與過敏原，靜音運轉。
general 記憶枕貼合頸部曲線，透氣散熱，讓你一夜好眠。
general 蒸氣熨斗快速除皺，衣物平整如新。
general 吹風機負離子護髮，快速乾髮，減少毛躁。
general 洗碗機高溫殺菌烘乾
general 抗菌防臭拖鞋，浴室防滑
general 登山背包減輕肩膀負擔
general 顯瘦高腰牛仔褲，修飾腿型
general 塑身褲包覆腹部，穿著舒適
general 瑜珈墊防滑，運動健身必備
general 健身啞鈴10公斤，可調整重量
general 飛輪車，在家運動燃脂
general 空拍機最大續航30分鐘
general 耳機最低延遲，打電動超順
general 手機殼最強防護？先看規格再說
general 全新第一代機種
general 這是我們店裡最受歡迎的款式之一
general 品質有保證，安心選購
general 狗狗零食，去除牙垢
general 貓砂除臭
general 蚊帳防止蚊蟲叮咬
general 止滑墊
general 消毒酒精75%
general 血壓計收納包
general 嬰兒澡盆，溫度顯示避免燙傷
general 避免燙傷的隔熱手套
general 隔熱手套防止燙傷
general 防燙傷設計的電熱水壺
general 護目鏡減少眼睛疲勞
general 抗藍光眼鏡
general 兒童地墊減少碰撞受傷
general 矯正坐姿的學習椅
general 高度可調，改善坐姿
general 生日禮物首選
general 身體組成計可測體脂肪與體重
general 電子體重計最大秤重150公斤
general 治癒系插畫明信片
general 排水孔蓋
general 絕對零度冰沙機
general 獨一無二的手作禮物
general 世界第一等的享受
medical_device 用於量測血壓、心跳，僅供參考，請依醫師指示
medical_device 熱敷墊，暫時舒緩肌肉疲勞與痠痛
medical_device 低週波治療器，緩解肩頸痠痛
medical_device 隱形眼鏡含水量38%，矯正近視
medical_device 人工皮敷料，保護傷口、幫助癒合
medical_device 鼻腔沖洗器，清潔鼻腔，舒緩鼻塞
medical_device 口罩阻隔細菌與飛沫
medical_device 護膝穩定關節
cosmetic 洗去一天的疲憊，享受沐浴時光
cosmetic 消除靜電，髮絲滑順
cosmetic 控油蓬鬆，抗屑止癢系列
cosmetic 預防乾燥引起的脫皮
cosmetic 淡化乾燥細紋，改善暗沉
cosmetic 防止髮絲毛躁
cosmetic 改善髮質乾燥
cosmetic 抗老精華，撫平細紋
cosmetic 修復受損髮絲
cosmetic 提升肌膚含水量
cosmetic 促進肌膚吸收保濕成分
cosmetic 恢復肌膚光澤
cosmetic 強化肌膚防護力
cosmetic 幫助維持肌膚水油平衡
cosmetic 預防日曬造成的黑斑雀斑
cosmetic 清除彩妝殘留
cosmetic 使肌膚呈現透亮光采
cosmetic 溫和不刺激，孕婦可用
cosmetic 第一次染髮也能輕鬆上手
cosmetic 遮瑕力最佳夥伴
cosmetic 最適合夏天的清爽質地
cosmetic 我們最喜歡的顏色
cosmetic 減少洗髮時的髮絲斷裂
cosmetic 防水抗暈染，眼線持久
cosmetic 頭皮舒緩，洗感清涼
cosmetic 如有過敏反應請停用
cosmetic 敏感肌膚請先於手臂內側測試
cosmetic 皮膚過敏者請諮詢醫師
cosmetic 避開眼周與傷口
cosmetic 本產品不能治療痘痘
food 低脂高纖，輕食首選
food 暖心熱湯，驅走寒意
food 冷凍蔬菜，急速冷凍鎖住新鮮
food 肝油魚肝油風味糖果
food 腸粉Q彈，豬肝鮮嫩
food 請勿空腹飲用，腸胃敏感者酌量
food 腎臟病患者不宜食用
food 痛風患者酌量食用
food 有感冒症狀請多休息
food 吃出幸福感
food 補充體力，運動前後皆宜
food 補充鐵質，維持好氣色
food 有助於維持正常代謝
food 調整作息，從早餐開始
food 提供膳食纖維，增加飽足感
food 幫助骨骼及牙齒的生長發育
food 解膩、去腥
food 減少開火，快速料理
food 消費者最愛
food 全台熱賣
food 最受歡迎的口味
food 第一道春茶
food 世界各地的風味
food 最佳嘗鮮期三個月
food 口感最好的部位是腹肉
food 保證新鮮
food 保證產地直送
food 絕對好吃
food 神奇的跳跳糖
food 甜蜜的療癒時刻
food 三高濃度巧克力
food 血橙果汁、血蛤
food 豐富膠質，嘴唇黏黏
food 去除雜質，清澈透亮
food 淨化水質的濾芯
food 白皙如雪的麵粉
food 殺青、發酵、烘焙
food 消暑退火
food 不含反式脂肪
food 減脂乳品
food 無乳糖，乳糖不耐者可飲用
food 控制熱量的好夥伴
food 適合減重期間食用
food 日常保養
food 預購商品
supplement 食用期間請配合健康的生活
supplement 請勿超過建議量
supplement 有助於胃腸功能改善
general 清潔消毒一次完成
general 預防漏水
general 改善室內空氣品質
general 消除噪音
general 減少異味
general 提升工作效率
general 舒緩壓力的香氛蠟燭
general 放鬆心情
general 支撐腰背，久坐舒適
general 瘦長型垃圾桶
general 顯瘦收腰設計
general 燃脂課程DVD
general 增高收納架
general 感冒藥收納盒
general 急救箱、繃帶收納
general 復健球
general 抗菌塗層砧板
general 殺菌光奶瓶消毒器
general 抗UV雨傘
general 病毒式行銷書籍
general 電腦病毒防護軟體
general 防毒軟體
general 掃毒
general 癌症保險
general 醫生玩具組
general 最佳音質
general 最強打線棒球遊戲
general 全台最高樓模型
general 世界最大的海洋公園拼圖
general 第一名獎盃
general 唯一不變的是愛
general 絕對音感訓練
general 保證人
general 最低訂購量10個
general 最低溫度-20度
general 最快隔天到貨
general 修復皮革
general 修復牆面裂痕
general 傷口模擬化妝
general 活化空間
general 解決頭髮堵塞排水孔
general 防止掉落
medical_device 適用輕微擦傷
medical_device 退熱貼，舒緩不適
medical_device 量測準確
medical_device 舒緩痠痛
medical_device 矯正視力
medical_device 治療用途請依說明
cosmetic 滋潤活化滋養髮根、頭皮、毛髮
cosmetic 防止髮絲分叉斷裂
cosmetic 調理因洗髮造成之靜電失衡，使頭髮易於梳理
cosmetic 補充保持頭髮水分油分
cosmetic 使頭髮柔順富彈性
cosmetic 防止頭皮之汗臭、異味、不良氣味
cosmetic 維護頭髮的健康
cosmetic 保濕、增添髮色光澤
cosmetic 改善毛躁、乾燥髮質
cosmetic 毛髮蓬鬆感
cosmetic 回復年輕光采、青春的頭髮、呈現透亮光澤
cosmetic 清潔毛髮頭皮、毛孔髒汙
cosmetic 使濃密、粗硬之毛髮更柔軟
cosmetic 使頭髮呈現豐厚感、豐盈感
cosmetic 頭皮清涼舒爽感
cosmetic 去除多餘油脂
cosmetic 防止肌膚粗糙、預防乾燥、舒緩肌膚乾燥、預防皮膚乾裂、減少肌膚乾澀、脫屑、脫皮
cosmetic 清潔、柔軟、滋潤、潔淨、緊緻、調理、淨白、保護、光滑、潤澤、滋養、柔嫩、水嫩、活化、賦活肌膚
cosmetic 形成肌膚保護膜
cosmetic 提升肌膚舒適度
cosmetic 使肌膚散發香味
cosmetic 改善暗沉、淡化細紋、減少皺紋、抗皺
cosmetic 通暢毛孔、緊緻毛孔、淨化毛孔、收斂毛孔、平衡油脂
cosmetic 舒緩、鎮靜肌膚
cosmetic 淡化乾紋、表情紋
cosmetic 防禦紫外線、隔離紫外線、防止曬斑、抵禦大氣污染
cosmetic 防止黑斑、雀斑
cosmetic 增加肌膚彈性、抗老化、延緩老化
cosmetic 改善肌膚乾燥、粗糙
cosmetic 促進肌膚新陳代謝
cosmetic 去角質、去除老廢角質、促進角質代謝更新
cosmetic 修飾蒼白膚色、遮蓋斑痕、遮瑕
cosmetic 使睫毛看起來纖長濃密、捲翹
cosmetic 保護指甲、預防指甲斷裂、增加指甲光澤
cosmetic 修飾指甲
cosmetic 幫助牙齒清潔、預防蛀牙、去除牙漬、潔白牙齒、防止口臭
cosmetic 使皮膚光滑、緊緻
cosmetic 散發香氣、掩飾體臭、修飾體味
cosmetic 清潔修飾頭髮
cosmetic 讓肌膚看起來年輕有活力
cosmetic 賦予肌膚活力、煥發年輕光采
cosmetic 使肌膚回復細緻水嫩
cosmetic 清爽止汗、制臭、消除異味
food 幫助牙齒骨骼正常發育、幫助消化、幫助維持消化道機能、改變細菌叢生態
food 使排便順暢、調整體質、調節生理機能、滋補強身
food 增強體力、精神旺盛、養顏美容、幫助入睡
food 產前產後或病後之補養、促進新陳代謝
food 清涼解渴、生津止渴、促進食慾、開胃、退火、降火氣
food 使口氣芬芳、促進唾液分泌、潤喉、生津利喉
food 本草綱目記載梅子氣味甘酸，可生津解渴
food 有助於維持骨骼與牙齒的健康、有助於維持正常的神經肌肉生理
food 增進皮膚與黏膜的健康，幫助牙齒和骨骼的生長及發育
food 具抗氧化作用，有助於維持細胞排列的緊密性
food 有助於紅血球的形成，有助於維持皮膚的健康
food 有助於胎兒的正常發育與生長
food 構成血紅素與肌紅素的重要成分，有助於氧氣的輸送與利用
food 促進膠原蛋白的形成，有助於傷口癒合，有助於維持細胞排列的緊密性
food 調節細胞的氧化作用，維持甲狀腺激素的正常分泌
food 為胰島素及多種酵素的成分，有助於維持醣類代謝
food 膳食纖維使糞便比較柔軟而易於排出，增加飽足感
food 蛋白質為人體細胞、組織、器官的主要構成物質
food 幫助生長發育，有助於組織的修復，為肌肉合成的來源之一
food 維生素K有助血液正常的凝固功能，活化肝臟與骨骼中的蛋白質
food 維生素B6有助於紅血球維持正常型態
food 鎂有助於肌肉與心臟的正常收縮及神經的感應性
cosmetic 想要一整天的好氣色？這支唇膏滋潤度滿分，顯色飽和，不卡唇紋，日常通勤到約會都百搭。
cosmetic 洗髮精添加生薑萃取，溫和潔淨頭皮，洗去油膩與頭皮屑，髮根蓬鬆不扁塌，帶走惱人異味，還給你清爽的每一天。
cosmetic 運動後的汗味、悶熱一次帶走！涼感沐浴露清涼薄荷香氣，沖洗快速不殘留。
cosmetic 眼霜質地柔滑，按摩眼周，撫平乾燥細紋，讓眼周肌膚柔嫩明亮。
cosmetic 卸妝水一抹乾淨，眼唇彩妝也能輕鬆卸除，無需用力拉扯肌膚。
cosmetic 嬰兒洗沐二合一，不流淚配方，溫和洗淨寶寶嬌嫩肌膚，媽媽安心。
cosmetic 髮膜三分鐘護髮，修護染燙受損髮，髮絲柔順亮澤。
cosmetic 防曬噴霧，白天外出補擦超方便，不泛白、不黏膩，預防曬黑。
cosmetic 磨砂膏去除手肘膝蓋粗糙角質，恢復柔嫩。
cosmetic 男士控油洗面乳，掃除油光，洗後清爽不乾澀，減少黑頭粉刺堆積。
cosmetic 送女友、送媽媽的保養禮盒，包裝精美，心意滿分。
cosmetic 頂級玫瑰精油，來自保加利亞玫瑰谷，香氣典雅細緻。
cosmetic 唇膜敷一晚，隔天唇部柔嫩不脫皮。
cosmetic 底妝持久12小時，不脫妝、不暗沉，遮瑕力強，黑眼圈、斑點、痘疤統統修飾。
cosmetic 腳跟龜裂乾燥？滋潤足霜給你柔嫩雙腳。
cosmetic 指甲油快乾不脫落，色彩繽紛，孕婦也能用。
cosmetic 抗藍光防護，電腦族白天必備的隔離乳。
cosmetic 止汗石天然礦物，有效抑制汗臭，清爽整天。
cosmetic 妝前毛孔隱形膏，視覺上縮小毛孔，柔焦膚質。
food 每日堅果小包裝，隨手一包補充營養，無調味低溫烘焙，不油炸，健康零嘴好選擇。
food 益生菌粉包，添加多種益生菌與膳食纖維，口感酸甜，全家大小都喜愛，維持消化道機能，使排便順暢。
food 膠原蛋白粉無腥味，沖泡方便，加入咖啡、牛奶都好喝，養顏美容、青春美麗。
food 葉黃素凍，添加維生素A，有助於維持在暗處的視覺，追劇滑手機族的營養補給。
food 高蛋白飲，運動後補充，每份含25克蛋白質，有助於肌肉的合成。
food 黑木耳露，口感滑順，富含膳食纖維，增加飽足感。
food 燕麥片，全穀高纖，早餐首選，開啟活力的一天。
food 冷壓初榨橄欖油，香氣濃郁，涼拌、熱炒皆宜，減少油煙。
food 手工水餃皮薄餡多，煮8分鐘即可上桌，忙碌媽媽的料理好幫手。
food 鹼性氣泡水，無糖零卡，解膩暢快，餐餐都想喝。
food 老薑茶，冬天暖身好夥伴，一杯下肚暖呼呼。
food 枸杞紅棗茶，溫潤順口，滋補強身，送禮自用兩相宜。
food 蔓越莓乾，酸甜好滋味，下午茶點心。
food 兒童營養奶粉，含鈣與維生素D，幫助骨骼及牙齒的生長發育。
food 龜鹿飲，傳統工法熬製，精神旺盛，增強體力。
food 魚油軟膠囊，小顆粒好吞，無魚腥味，日常營養補給。
food 代餐奶昔，一包只要180大卡，飽足感十足，忙碌上班族的輕盈選擇。
food 純米醋，陳釀三年，開胃解膩。
food 本品經高溫殺菌，開封後請冷藏。過敏原：牛奶、大豆、花生。
food 藍莓果汁，100%原汁，無添加糖，清爽消暑。
food 即食雞胸肉，高蛋白低脂，健身族最愛。
food 麻油雞湯，產後補養、坐月子的好湯品。
food 人氣團購，第一次購買享九折，最後倒數三天。
general 人體工學椅，可調整腰靠與扶手，久坐也舒適，減輕腰部負擔。
general 天絲涼被，透氣吸濕排汗，裸睡也舒服。
general 掃地機器人，最大吸力5000Pa，掃拖一次完成，解放雙手。
general 電子鍋，多段火力，煮出粒粒分明的米飯。
general 氣炸鍋，少油料理，清洗方便，最高溫度200度。
general 行李箱，德國拜耳PC材質，耐撞耐刮，TSA海關鎖。
general 按摩枕，揉捏放鬆肩頸，附加熱功能，下班後的小確幸。
general 瑜珈滾筒，放鬆肌肉，居家伸展好夥伴。
general 空氣清淨機，HEPA13濾網，過濾PM2.5、花粉、塵蟎與異味。
general 除濕機，抑制黴菌孳生，衣物乾爽。
general 洗衣精，去除99%污漬，抗菌除臭，溫和不傷手。
general 廚房清潔劑，分解油脂、瓦解頑垢，一噴即淨。
general 防蹣床包，阻隔塵蟎過敏原，媽媽安心。
general 兒童安全座椅，通過ECE認證。
general 運動內衣，高支撐防震，集中不位移。
general 壓力褲，運動支撐，減少肌肉晃動。
general 暖暖包，長效發熱12小時，冬天必備。
general 吸頂燈，減少藍光，保護眼睛的柔和光線。
general 護眼檯燈，無頻閃，閱讀不疲勞。
general 寵物保健零食，狗狗關節保健
general 貓罐頭，鮮嫩鮪魚，泌尿道保健配方
general 茶樹精油擴香，淨化空間氣味
general 足浴桶，恆溫加熱，泡腳放鬆一整天的疲勞。
general 智慧手錶，監測心率與血氧，非醫療器材，數據僅供參考，不能作為診斷或治療依據。
general 捲髮棒，打造自然捲度，髮質亮澤。
general 電動牙刷，潔淨牙菌斑，亮白牙齒。
general 洗臉機，深層清潔毛孔髒汙。
general 遮陽帽，抗UV，預防曬傷。
general 嬰兒護臀膏收納袋
general 紓壓小物，緩解焦慮的捏捏樂
medical_device 本產品為醫療器材，使用前請詳閱說明書
medical_device 電子血壓計，大螢幕顯示，雙人記憶，衛部醫器製字第000000號
medical_device 日拋隱形眼鏡，高含水，配戴舒適一整天
medical_device 醫用口罩三層防護，過濾飛沫
medical_device 痘痘貼，隱形服貼，吸收滲液，保護傷口
medical_device 熱敷墊，溫熱舒緩肩頸痠痛、促進血液循環
food 普通便當也能吃得豐盛
food 料理氣味香濃
food 交通便利的觀光工廠直送
food 營養肝醬抹吐司
food 每月減免運費一次
food 營養氣泡飲
food 平安神社聯名餅乾
general 美白樺木桌板，北歐風格
general 便利尿布收納包
general 心血來潮就出發的露營車
general 保證有效期限內更換
general 全台第一線維修服務
general 第一名模代言款
general 生長高麗菜的盆栽組
general 排毒蛇圖案T恤
general 豐富胸前口袋
general 對抗老舊水垢
general 增高度調整旋鈕
general 肝膽相照好兄弟紀念杯
general 一勞永逸的收納法
cosmetic 使用後更有自信，妝感持久
cosmetic 無漂白、無螢光劑
"""


def breaks() -> list[tuple[str, str, str, int, int]]:
    """Domain, category, text, and start and end of the place."""
    made = []
    for line in "".join([PLAIN, DISGUISED, corpus_claims_more.BREAKS]).split("\n"):
        if not line:
            continue
        domain, category, marked = line.split(" ", 2)
        start, end = marked.index("⟦"), marked.index("⟧") - 1
        made.append((domain, category, marked.replace("⟦", "").replace("⟧", ""), start, end))
    return made


def innocent() -> list[tuple[str, str]]:
    """Domain and text."""
    lines = [*INNOCENT.strip().splitlines(), *corpus_claims_more.INNOCENT.strip().splitlines()]
    return [(domain, text) for domain, text in (line.split(" ", 1) for line in lines)]
