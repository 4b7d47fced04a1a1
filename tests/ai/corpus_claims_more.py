"""Regression corpus of other voices (shop owner, live stream, forum, brand): lines once got right; no measure."""

from __future__ import annotations

# Domain, category, text; `⟦…⟧` marks the place.
BREAKS = """
cosmetic 絕對用語 ⟦100%無刺激⟧
cosmetic 絕對用語 ⟦零刺激零副作用⟧
cosmetic 誇大不實 ⟦七天逆轉肌齡⟧
cosmetic 誇大不實 ⟦全身美白⟧沐浴乳
cosmetic 誇大不實 ⟦啟動膠原新生⟧，嘭彈如少女
cosmetic 誇大不實 ⟦喚醒肌膚自癒力⟧
cosmetic 誇大不實 ⟦小臉神器，V臉霜⟧
cosmetic 誇大不實 ⟦從源頭阻斷黑色素⟧
cosmetic 誇大不實 ⟦抹平法令紋⟧，年輕看得見
cosmetic 誇大不實 ⟦毛囊重新甦醒⟧
cosmetic 誇大不實 ⟦私密緊緻凝膠⟧
cosmetic 誇大不實 ⟦緊實私密如初⟧
cosmetic 誇大不實 ⟦讓陰道緊緻⟧
cosmetic 誇大不實 ⟦阻斷神經傳導，撫平動態紋⟧
cosmetic 誇大不實 一抹⟦止痛消腫⟧的涼感凝膠
cosmetic 誇大不實 三分鐘⟦眼袋消失⟧，姊妹都驚呆
cosmetic 誇大不實 止汗劑⟦阻斷汗腺分泌⟧，狐臭救星
cosmetic 誇大不實 淨化⟦淋巴排毒⟧按摩精油
cosmetic 誇大不實 深入⟦基底層修復DNA⟧
cosmetic 誇大不實 用完整個人⟦年輕十歲⟧
cosmetic 誇大不實 私密處⟦美白粉嫩⟧如少女
cosmetic 誇大不實 運動前塗，⟦加速脂肪燃燒⟧
cosmetic 醫療效能 ⟦剖腹產疤痕⟧也能淡化
cosmetic 醫療效能 ⟦去除肉芽與疣⟧的神奇點痣筆
cosmetic 醫療效能 ⟦成人痘、下巴痘⟧一週說再見
cosmetic 醫療效能 ⟦抑制皮脂腺分泌⟧，毛孔永久縮小
cosmetic 醫療效能 ⟦抗敏止癢⟧身體乳
cosmetic 醫療效能 ⟦排毒⟧面膜
cosmetic 醫療效能 ⟦改善敏感肌泛紅發炎⟧
cosmetic 醫療效能 ⟦斑不見了⟧，連遮瑕都省
cosmetic 醫療效能 ⟦治療頭皮屑、頭皮發炎⟧
cosmetic 醫療效能 ⟦消滅香港腳⟧足粉
cosmetic 醫療效能 ⟦消除疤痕⟧
cosmetic 醫療效能 ⟦淨化體內毒素⟧的泡澡鹽
cosmetic 醫療效能 ⟦痘疤凹洞填平⟧精華
cosmetic 醫療效能 ⟦痘疤色沉⟧兩週淡光光
cosmetic 醫療效能 ⟦線雕般⟧的下顎線
cosmetic 醫療效能 ⟦舒緩肩頸僵硬⟧精油
cosmetic 醫療效能 ⟦讓斑從肌底連根拔起⟧
cosmetic 醫療效能 ⟦讓疤痕消失無蹤⟧
cosmetic 醫療效能 ⟦醫療級⟧修護
cosmetic 醫療效能 不用挨針也有⟦水光針效果⟧
cosmetic 醫療效能 乾癬、⟦脂漏⟧都能用的洗髮精
cosmetic 醫療效能 孕婦也能⟦去蕁麻疹⟧的乳液
cosmetic 醫療效能 沐浴露含茶樹，⟦消滅99%細菌與黴菌⟧
cosmetic 醫療效能 用三天，⟦臉上的痘痘都縮下去⟧了
cosmetic 醫療效能 白髮族福音，天天洗⟦白髮變黑⟧
cosmetic 醫療效能 讓⟦睫毛長長長長⟧到戳到鏡片
food 絕對用語 ⟦全台最好吃⟧的牛軋糖
food 誇大不實 ⟦三甲醫院專家推薦⟧
food 誇大不實 ⟦不用忌口也能瘦⟧
food 誇大不實 ⟦保護關節軟骨⟧，膝蓋有潤滑
food 誇大不實 ⟦修復關節軟骨，行走自如⟧
food 誇大不實 ⟦刮油⟧茶，油脂掰掰
food 誇大不實 ⟦助孕神器⟧肌醇
food 誇大不實 ⟦啟動身體自癒力⟧
food 誇大不實 ⟦增強孩子免疫力⟧的初乳粉
food 誇大不實 ⟦戒酒戒菸⟧後養肝排毒
food 誇大不實 ⟦把吃進去的油通通包起來帶走⟧
food 誇大不實 ⟦抗氧化防老化⟧，比同齡人年輕
food 誇大不實 ⟦抗糖化、抗衰老⟧一次滿足
food 誇大不實 ⟦改善夜間視力⟧，開車更安全
food 誇大不實 ⟦改善末梢血液循環⟧，冬天手腳熱呼呼
food 誇大不實 ⟦斑點淡化⟧、膚色均勻的美顏飲
food 誇大不實 ⟦消水腫⟧紅豆水，隔天臉小一號
food 誇大不實 ⟦清除血管垃圾⟧
food 誇大不實 ⟦爆脂⟧膠囊，睡覺也在燒
food 誇大不實 ⟦胸部UP⟧，木瓜酵素豐滿計畫
food 誇大不實 ⟦補腦聰明⟧DHA軟糖
food 誇大不實 ⟦讓白髮變少、髮量變多⟧的黑芝麻
food 誇大不實 ⟦讓血管恢復彈性⟧，預防血管堵塞
food 誇大不實 ⟦越喝越窈窕⟧的普洱
food 誇大不實 ⟦頑固痘痘⟧由內調理
food 誇大不實 一個月⟦白一個色號⟧
food 誇大不實 國外正夯的⟦天然瘦瘦針⟧口服版
food 誇大不實 坐月子喝，⟦奶水源源不絕⟧
food 誇大不實 孩子⟦抽高⟧關鍵期，一天一包
food 誇大不實 對⟦胃潰瘍⟧有很好的修復效果
food 誇大不實 幫助⟦修復受損的肝細胞⟧
food 誇大不實 幫寶寶⟦腦部發育變聰明⟧
food 誇大不實 產後⟦發奶⟧茶，奶量爆增
food 誇大不實 素人實測：⟦腰圍從92變78⟧，老婆以為我外遇
food 誇大不實 老公吃了⟦晚上超勇⟧
food 誇大不實 腸道好，⟦皮膚自然白⟧
food 誇大不實 讓你⟦千杯不醉⟧
food 誇大不實 讓另一半⟦讚不絕口的持久戰力⟧
food 誇大不實 魚油 Omega-3 ⟦保護心臟、降低三酸甘油酯⟧
food 醫療效能 ⟦一喝就睡，擺脫失眠⟧
food 醫療效能 ⟦停止掉髮⟧從內而外養髮
food 醫療效能 ⟦健脾祛濕⟧四神湯
food 醫療效能 ⟦具有抗發炎與鎮痛作用⟧
food 醫療效能 ⟦吃了不用再跑醫院⟧
food 醫療效能 ⟦安定神經、舒緩憂鬱⟧
food 醫療效能 ⟦幽門桿菌⟧掰掰
food 醫療效能 ⟦抗輻射、防癌⟧的海藻
food 醫療效能 ⟦改善自律神經失調⟧，心情穩定
food 醫療效能 ⟦減少發炎反應⟧的橄欖多酚
food 醫療效能 ⟦火氣大嘴破⟧喝這個就好
food 醫療效能 ⟦癌症⟧患者的營養聖品
food 醫療效能 ⟦眼睛老花看得清⟧，不用再戴眼鏡
food 醫療效能 ⟦經前煩躁、悶痛⟧通通掰
food 醫療效能 ⟦血管清道夫⟧魚油
food 醫療效能 ⟦降低罹癌風險⟧的超級食物
food 醫療效能 ⟦預防失智⟧從每天一匙油開始
food 醫療效能 ⟦頻尿⟧的長輩終於能一覺到天亮
food 醫療效能 乳鐵蛋白，⟦改善異位性皮膚炎⟧體質
food 醫療效能 吃一陣子⟦糖化血色素就降⟧了
food 醫療效能 喉嚨卡卡、⟦久咳不止⟧的日常保養
food 醫療效能 喝了兩週⟦健檢紅字全部消失⟧
food 醫療效能 天然草本，⟦改善呼吸道過敏⟧
food 醫療效能 我婆婆⟦血糖從180掉到110⟧
food 醫療效能 漢方⟦活血通絡⟧
food 醫療效能 益生菌可⟦抑制壞菌、預防腸癌⟧
food 醫療效能 胃食道逆流？⟦火燒心⟧不再來
food 醫療效能 芝麻素讓你⟦深層睡眠不失眠⟧
food 醫療效能 蔓越莓守護⟦私密處不發炎⟧
food 醫療效能 讓癌細胞⟦自行凋亡⟧
food 醫療效能 阿嬤⟦高血壓藥都減半⟧了
general 絕對用語 ⟦100%不漏水⟧
general 絕對用語 ⟦全國銷量冠軍⟧
general 絕對用語 ⟦全網最便宜⟧
general 絕對用語 ⟦史無前例⟧最低價
general 絕對用語 ⟦唯一⟧獲獎的濾芯
general 絕對用語 ⟦唯一推薦⟧除濕機
general 絕對用語 ⟦打敗市面上所有品牌⟧
general 絕對用語 ⟦永不生鏽⟧的鍋具
general 絕對用語 ⟦用一輩子都不會壞⟧
general 絕對用語 ⟦百分百防蚊⟧的噴霧
general 絕對用語 ⟦終身免維修⟧
general 絕對用語 ⟦絕不故障⟧
general 誇大不實 ⟦消除小腹⟧震動機
general 誇大不實 ⟦消除法令紋⟧的滾輪
general 誇大不實 ⟦讓小腿變細⟧的睡眠襪
general 誇大不實 ⟦邊走邊瘦⟧健走鞋
general 醫療效能 ⟦增強免疫力⟧的光波屋
general 醫療效能 ⟦幫助傷口癒合⟧的遠紅外線毯
general 醫療效能 ⟦治療打鼾⟧的止鼾帶
general 醫療效能 ⟦治療鼻過敏⟧的光療機
general 醫療效能 ⟦減輕關節炎疼痛⟧的護膝
general 醫療效能 ⟦矯正O型腿⟧綁帶
general 醫療效能 ⟦紓緩偏頭痛⟧的按摩頭罩
general 醫療效能 ⟦釋放負離子抑制癌細胞⟧
general 醫療效能 ⟦預防心血管疾病⟧的遠紅外線背心
general 醫療效能 手環⟦平衡血壓、調節自律神經⟧
general 醫療效能 按摩槍⟦治療五十肩⟧
general 醫療效能 溫灸儀⟦暖宮驅寒、改善經痛⟧
general 醫療效能 睡眠燈⟦治療失眠⟧
general 醫療效能 睡這床墊⟦腰痛不藥而癒⟧
general 醫療效能 磁力貼⟦止痛⟧免吃藥
general 醫療效能 空氣清淨機⟦預防氣喘過敏⟧
medical_device 絕對用語 ⟦無副作用，人人適用⟧
medical_device 誇大不實 ⟦一貼就治好關節炎⟧
medical_device 誇大不實 ⟦三天痊癒⟧不是夢
medical_device 誇大不實 ⟦不必手術就治好靜脈曲張⟧
medical_device 誇大不實 ⟦使用者見證⟧三天不痛
medical_device 誇大不實 ⟦徹底根治鼻過敏⟧的鼻噴儀
medical_device 誇大不實 ⟦永不復發⟧的雞眼貼
medical_device 誇大不實 ⟦讓聽力恢復正常⟧的助聽器
medical_device 誇大不實 ⟦量得比醫院還準⟧
medical_device 誇大不實 額溫槍⟦百分之百準確⟧
supplement 誇大不實 ⟦打造不生病的體質⟧
supplement 誇大不實 ⟦提高受孕率⟧
supplement 誇大不實 ⟦甩掉大肚腩⟧
supplement 誇大不實 ⟦返老還童⟧
supplement 誇大不實 兩個月⟦瘦一圈⟧
supplement 醫療效能 ⟦抑制癌細胞擴散⟧
supplement 醫療效能 ⟦改善心律不整⟧
supplement 醫療效能 ⟦根除幽門桿菌⟧
supplement 醫療效能 ⟦治療骨質疏鬆⟧
supplement 醫療效能 ⟦甩掉三高⟧的秘密武器
cosmetic 絕對用語 滋潤度⟦海放曼秀雷敦⟧
cosmetic 絕對用語 ⟦比SK-II更有效⟧，價格只要十分之一
general 絕對用語 吹風機⟦完勝D.y.s.o.n⟧
general 醫療效能 祖傳青草膏⟦專治跌打損傷⟧
general 絕對用語 除蟑藥一次用完，保證⟦永不再來⟧
cosmetic 誇大不實 洗髮精⟦活化毛嚢⟧
food 誇大不實 黑咖啡⟦狂獸10公斤⟧
supplement 誇大不實 ⟦諾貝爾醫學獎得主背書⟧的NMN
supplement 誇大不實 最天然的⟦健康食品，雖然沒有小綠人⟧
medical_device 誇大不實 磁石項鍊⟦改善高血壓⟧
medical_device 誇大不實 磁力貼⟦止💥痛效果一級棒⟧
medical_device 誇大不實 口罩保證⟦百分百阻擋⟧病毒
food 醫療效能 ⟦改善糖尿病⟧，請諮詢醫師
food 誇大不實 想⟦減肥⟧？不必挨餓
food 絕對用語 不敢說最便宜但⟦絕對瘦⟧
"""
INNOCENT = """
cosmetic 剛做完雷射的肌膚，請先詢問醫師
cosmetic 一瓶乳霜滋潤、緊實肌膚就好
cosmetic 我們不敢說擦了就年輕十歲
cosmetic 眉筆一根一根畫出毛流感
food 用活水洗清血水，再小火燉一小時
food 宿醉沒有解藥，只有多喝水
food 補血？沒有，就是一杯紅豆湯
food 可促進腸道蠕動、增加飽足感
supplement 本公司不宣稱任何減肥、豐胸效果
general 停止痛哭！影集套組開放預購
general 法治療癒兩不誤的法律繪本
general 天下第一關造型積木
general 玩具聽診器，治好熊熊的肚子痛
general 本店沒有什麼全台最低價
medical_device 服用降血壓藥者請先諮詢醫師
cosmetic 一秒變臉的口紅
cosmetic 不適合本品者請停止使用
cosmetic 使眉毛看起來濃密立體
cosmetic 保濕力佳，冬天不脫皮
cosmetic 修容餅讓臉看起來更小更立體
cosmetic 傷口、濕疹部位請勿使用
cosmetic 凍膜涼涼的，夏天敷超舒服
cosmetic 卸妝卸得乾淨，第二天上妝才服貼
cosmetic 含菸鹼醯胺，使肌膚勻亮
cosmetic 唇部乾裂脫皮？滋潤唇膏救乾
cosmetic 天然植萃香氛，舒緩身心
cosmetic 妝感乾淨，毛孔看起來小小的
cosmetic 嬰幼兒屁屁膏，隔離濕悶
cosmetic 延緩肌膚老化，回復年輕光采
cosmetic 強健髮根，減少髮絲斷落
cosmetic 想要少女般的粉嫩腮紅
cosmetic 抗藍光，3C族日常保養
cosmetic 按摩放鬆，享受SPA時光
cosmetic 提升肌膚保水度
cosmetic 擦完像剛敷完面膜，水水亮亮
cosmetic 擦起來像打了蘋果光
cosmetic 收斂毛孔，妝前打底
cosmetic 本品僅供外用
cosmetic 本品無美白效果
cosmetic 本產品非藥品，無法治療青春痘
cosmetic 柔焦粉餅，修飾細紋
cosmetic 沐浴後肌膚滑溜
cosmetic 洗去泥沙汗水，還你清爽
cosmetic 洗完頭皮不癢不油，清爽整天
cosmetic 洗面乳泡泡綿密，洗完不乾澀
cosmetic 淡化乾燥紋路
cosmetic 深層清潔毛孔，帶走粉刺髒汙
cosmetic 清涼洗髮，頭皮好清爽
cosmetic 潔牙粉去除牙漬
cosmetic 潤色提亮，假裝好氣色
cosmetic 瘦瘦高高的瓶身，放包包剛好
cosmetic 白髮補染筆，遮蓋新生白髮
cosmetic 眉筆防水，游泳也不掉色
cosmetic 眼線防水不暈染，熬夜不變熊貓
cosmetic 睫毛夾翹度持久
cosmetic 美甲光療燈
cosmetic 肌膚緊緻有彈性，摸起來嘭嘭的
cosmetic 肌膚賦活，緊實透亮
cosmetic 舒緩刮鬍後的緊繃感
cosmetic 請避開傷口、紅腫及濕疹部位
cosmetic 護手霜味道像剛洗好的床單
cosmetic 護手霜滋潤乾裂的雙手
cosmetic 讓雙唇看起來豐潤飽滿
cosmetic 遮瑕膏蓋得住黑眼圈跟痘疤，不卡粉
cosmetic 鎮定舒緩曬後泛紅
cosmetic 防曬SPF50，預防曬斑
cosmetic 防曬係數高，戶外活動必備
cosmetic 防汗抗水的防曬
cosmetic 體香膏，遮蓋體味
cosmetic 髮膜三分鐘，乾枯毛躁變柔順
food 一般食品不會降血糖
food 下午茶恢復精神
food 不使用代糖，安心食用
food 並非減肥藥，請均衡飲食
food 中秋烤肉組，肥瘦適中
food 低糖低油，吃起來沒負擔
food 使用高溫瞬間殺菌技術
food 元氣便當，吃飽有力氣
food 免疫風波？沒有啦，就是單純好喝
food 冰涼消暑退火的仙草
food 冷凍保存，想吃就退冰
food 別再相信三天瘦五公斤的廣告
food 去油解膩，配滷味絕配
food 吃完一碗身體暖呼呼
food 含有豐富的維生素C
food 坐月子燉雞湯，滋補養身
food 增加飽足感的蒟蒻
food 夏天胃口不好？酸辣涼拌最開胃
food 天冷手腳冰冷？來杯熱可可暖暖手
food 奶香濃郁，乳糖不耐也能喝的無乳糖牛奶
food 孕婦、服藥中或慢性病患請先詢問醫師
food 富含鈣質與蛋白質，孩子的早餐好選擇
food 對牛奶過敏者請勿食用
food 小孩子很喜歡，全家都愛吃
food 年終大掃除完，來杯冰茶
food 想念阿嬤的味道，心都暖了
food 懷孕的太太也愛吃的酸梅
food 手腳要快，晚了就被吃光
food 抗餓小點心，飽足感十足
food 提供一日所需營養素
food 早上來一杯，一整天精神飽滿
food 早餐來碗燕麥，開啟元氣的一天
food 毒蠍辣椒醬，挑戰你的舌頭
food 油脂分布均勻的和牛，入口即化
food 治癒我的甜點，吃完心情好好
food 消暑聖品，冰到心坎裡
food 清爽解膩，配炸雞剛好
food 減少用鹽量，清淡也好吃
food 減少食物浪費的小包裝
food 減肥也想吃的雞胸肉，軟嫩不柴
food 減醣便當，熱量只有400大卡
food 溫體豬每日現宰
food 滋養補身的四物雞湯
food 無糖拿鐵，香醇順口
food 熬夜加班，來一罐提提神
food 牛奶鈣質，幫助骨骼及牙齒的生長發育
food 用料實在，吃完嘴角都是奶油
food 當季鮮採，送到家還帶著露水
food 益生菌幫助維持消化道機能
food 眼睛先吃飽的漸層飲料
food 精力湯豆漿，早晨活力來源
food 維生素B6有助於維持神經系統的健康
food 維生素B群，開啟活力的每一天
food 維生素C幫助膠原蛋白形成
food 維生素D有助於維持血鈣的正常濃度
food 綿密細緻，皮膚Q彈的白斬雞
food 罹患疾病者請遵醫囑
food 老人家咬得動的軟嫩口感
food 老闆拍胸脯保證新鮮
food 肉桂捲的香氣，一打開就療癒整個午後
food 肝膽相照的好兄弟下酒組
food 胸口肉、雞腿肉雙拼
food 脂肪 3 公克、飽和脂肪 1 公克、反式脂肪 0 公克
food 腸胃較敏感者請少量食用
food 膠質滿滿，Q彈有嚼勁
food 膳食纖維有助於維持消化道機能
food 若有過敏體質，請留意成分標示
food 茶葉經低溫殺菌處理
food 補充運動流失的水分與電解質
food 補水補電解質，運動後來一瓶
food 記憶中的古早味
food 請勿聽信治百病的廣告
food 豬肝湯鮮甜不腥，阿嬤最愛
food 豬血糕、鴨血都賣
food 這不是減肥藥，是好喝的茶
food 這款醋飲酸甜開胃，冰鎮更好喝
food 這顏色白皙透亮的杏仁凍
food 通過農藥殘留與重金屬檢驗
food 酒香濃郁，適合微醺的夜晚
food 醒酒器搭配紅酒，風味更佳
food 開胃菜，小黃瓜酸甜爽脆
food 降低甜度，保留茶香
food 食品沒有療效
food 高纖餅乾，低卡零嘴
food 高蛋白低脂，健身族最愛
food 高血壓患者請注意鈉含量
food 高麗菜水餃，皮薄餡多
food 魚刺少，長輩小孩吃得安心
food 黑豆白豆紅豆，五行養生湯圓
general 世界地圖拼圖
general 保證書隨貨附上
general 修復牆壁裂縫的補土
general 兒童成長書桌，高度可調
general 兒童牙刷，軟毛護齦
general 內搭褲修飾腿部線條
general 加厚褲襪，冬天保暖
general 加濕器，冷氣房不乾燥
general 唯一缺點就是太可愛
general 地板清潔劑抗菌除臭
general 坐姿提醒器
general 增強訊號的路由器
general 增高馬桶墊，長輩起身更輕鬆
general 嬰兒安撫奶嘴，防脹氣奶瓶
general 嬰兒背帶，減輕爸媽腰背負擔
general 寵物飲水機，過濾雜質
general 寶寶圍兜，好洗快乾
general 心電圖造型項鍊
general 感應式垃圾桶，減少接觸細菌
general 戰痘小劇場漫畫
general 打呼的貓咪玩偶
general 抗壓行李箱，耐摔耐磨
general 抗疲勞地墊，久站更舒服
general 拐杖椅，走累就坐
general 按摩椅，全身放鬆好舒服
general 按摩槍放鬆肌肉，運動後好夥伴
general 排毒煙排油煙機，廚房不燻人
general 提升專注的番茄鐘
general 收納箱讓家裡不再亂糟糟
general 暖暖包，冬天手腳不再冰冷
general 最後倒數三天
general 月子鞋，止滑保暖
general 束腰帶修飾線條
general 枕頭軟硬適中，一覺到天亮
general 止滑拖鞋，長輩也好穿
general 殺蟲劑，蟑螂螞蟻全消滅
general 洗碗精去油力強，不傷手
general 洗衣球去漬除臭
general 浴缸扶手，防滑安全
general 清潔劑瓦解油垢，去除水垢
general 減壓坐墊，久坐不悶熱
general 瑜珈球，核心訓練好夥伴
general 癌症險說明手冊
general 登山杖減輕膝蓋負擔
general 白頭翁立牌
general 省電節能，電費有感降低
general 眼鏡布，鏡片不留痕
general 老花眼鏡盒
general 薰香蠟燭，放鬆好眠
general 蟑螂藥，一次斷根
general 血氧手錶，僅供參考
general 血糖機收納包
general 護眼檯燈，光線柔和不刺眼
general 護眼螢幕，低藍光
general 護腰墊，久坐更舒適
general 貓抓板救了我家沙發
general 足弓鞋墊，久走不累
general 跑步機，在家也能燃燒卡路里
general 車用遮陽簾，隔熱又遮光
general 近視雷射衛教書
general 這本減肥日記寫得超好笑
general 運動手環記錄心率、步數、睡眠
general 長輩助行器，穩固好推
general 防止扭傷的機能鞋
general 防溢乳墊，奶水不外漏
general 防蚊液，戶外露營必備
general 防駝背提醒鬧鐘造型吊飾
general 降噪耳機，戴上世界安靜
general 電池壽命長，待機30天
general 靜音滑鼠，深夜工作不吵人
general 香薰機，淨化空間氣味
general 馬桶疏通神器
general 驅蚊草盆栽
medical_device OK繃，透氣防水
medical_device 三層過濾醫療口罩，透氣好呼吸
medical_device 日拋含水量58%，配戴舒適
medical_device 棉花棒獨立包裝滅菌
medical_device 退熱貼，冰涼舒緩
medical_device 適用於輕度失禁者的看護墊
medical_device 醫療用彈性襪，請依指示穿著
medical_device 隱形眼鏡，矯正近視、散光
medical_device 電動吸鼻器，溫和好清洗
medical_device 電子血壓計，一鍵記錄
supplement 有助於延緩骨質流失，依許可證
supplement 經人體食用研究顯示，有助於降低血中總膽固醇
supplement 高血壓患者請先諮詢醫師
"""
