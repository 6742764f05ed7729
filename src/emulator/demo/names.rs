//! Pools of Japanese names and phrases, with the characters that trip programs up.

/// A company's own part of its name: (kanji or kana, half-width reading, romanised).
pub(super) type Stem = (&'static str, &'static str, &'static str);

/// What stands in front of a trade.
pub(super) const STEMS: &[Stem] = &[
    ("髙﨑", "ﾀｶｻｷ", "Takasaki"),
    ("𠮷野", "ﾖｼﾉ", "Yoshino"),
    ("山田", "ﾔﾏﾀﾞ", "Yamada"),
    ("みなと", "ﾐﾅﾄ", "Minato"),
    ("東洋", "ﾄｳﾖｳ", "Toyo"),
    ("北斗", "ﾎｸﾄ", "Hokuto"),
    ("青葉", "ｱｵﾊﾞ", "Aoba"),
    ("富士見", "ﾌｼﾞﾐ", "Fujimi"),
    ("大和", "ﾔﾏﾄ", "Yamato"),
    ("丸八", "ﾏﾙﾊﾁ", "Maruhachi"),
    ("さくら", "ｻｸﾗ", "Sakura"),
    ("第一", "ﾀﾞｲｲﾁ", "Daiichi"),
    ("新生", "ｼﾝｾｲ", "Shinsei"),
    ("渡邊", "ﾜﾀﾅﾍﾞ", "Watanabe"),
    ("齋藤", "ｻｲﾄｳ", "Saito"),
    ("濵田", "ﾊﾏﾀﾞ", "Hamada"),
    ("ひまわり", "ﾋﾏﾜﾘ", "Himawari"),
    ("中央", "ﾁｭｳｵｳ", "Chuo"),
    ("桜木", "ｻｸﾗｷﾞ", "Sakuragi"),
    ("光洋", "ｺｳﾖｳ", "Koyo"),
    ("日の出", "ﾋﾉﾃﾞ", "Hinode"),
    ("武蔵", "ﾑｻｼ", "Musashi"),
    ("信濃", "ｼﾅﾉ", "Shinano"),
    ("瀬戸内", "ｾﾄｳﾁ", "Setouchi"),
    ("黒潮", "ｸﾛｼｵ", "Kuroshio"),
    ("ミライ", "ﾐﾗｲ", "Mirai"),
    ("アルファ", "ｱﾙﾌｧ", "Alpha"),
    ("つばめ", "ﾂﾊﾞﾒ", "Tsubame"),
    ("三枝", "ｻｴｸﾞｻ", "Saegusa"),
    ("若葉", "ﾜｶﾊﾞ", "Wakaba"),
];

/// A company's trade: (in Japanese, half-width reading, in English, industry).
pub(super) const TRADES: &[(&str, &str, &str, &str)] = &[
    ("電機", "ﾃﾞﾝｷ", "Electric", "製造"),
    ("製作所", "ｾｲｻｸｼｮ", "Works", "製造"),
    ("精密", "ｾｲﾐﾂ", "Precision", "製造"),
    ("食品", "ｼｮｸﾋﾝ", "Foods", "小売"),
    ("商店", "ｼｮｳﾃﾝ", "Shoten", "小売"),
    ("書房", "ｼｮﾎﾞｳ", "Books", "小売"),
    ("物流", "ﾌﾞﾂﾘｭｳ", "Logistics", "運輸"),
    ("運送", "ｳﾝｿｳ", "Transport", "運輸"),
    ("建設", "ｹﾝｾﾂ", "Construction", "建設"),
    ("工務店", "ｺｳﾑﾃﾝ", "Builders", "建設"),
    ("システム", "ｼｽﾃﾑ", "Systems", "情報通信"),
    ("ソフト", "ｿﾌﾄ", "Software", "情報通信"),
    ("クリニック", "ｸﾘﾆｯｸ", "Clinic", "医療・福祉"),
    ("薬局", "ﾔｯｷｮｸ", "Pharmacy", "医療・福祉"),
    ("学園", "ｶﾞｸｴﾝ", "Academy", "教育"),
    ("不動産", "ﾌﾄﾞｳｻﾝ", "Estate", "不動産"),
    ("旅館", "ﾘｮｶﾝ", "Inn", "宿泊・飲食"),
    ("珈琲", "ｺｰﾋｰ", "Coffee", "宿泊・飲食"),
];

/// Industries, as the trades use them.
pub(super) const INDUSTRIES: &[&str] =
    &["製造", "小売", "運輸", "建設", "情報通信", "医療・福祉", "教育", "不動産", "宿泊・飲食", "その他"];

/// How a company's form is written: (before, after, in English).
pub(super) const LEGAL_FORMS: &[(&str, &str, &str)] = &[
    ("株式会社", "", "Co., Ltd."),
    ("", "株式会社", "Co., Ltd."),
    ("㈱", "", "Co., Ltd."),
    ("", "㈱", "Inc."),
    ("有限会社", "", "Ltd."),
    ("合同会社", "", "LLC"),
    ("（株）", "", "Corp."),
];

/// The oldest customers, with names that programs find hard: (name, half-width reading, English, industry).
pub(super) const OLDEST_CUSTOMERS: &[(&str, &str, &str, &str)] = &[
    ("𠮷野家フーズ㈱", "ﾖｼﾉﾔﾌｰｽﾞ", "Yoshinoya Foods Inc.", "宿泊・飲食"),
    ("髙﨑電機株式会社", "ﾀｶｻｷﾃﾞﾝｷ", "Takasaki Electric Co., Ltd.", "製造"),
    ("㈱ｱｵｲ商会", "ｱｵｲｼｮｳｶｲ", "Aoi & Co.", "小売"),
    ("第１２３工業有限会社", "ﾀﾞｲｲﾁﾆｻﾝｺｳｷﾞｮｳ", "No. 123 Industries Ltd.", "製造"),
    ("オブライエン＆サンズ O'Brien & Sons", "ｵﾌﾞﾗｲｴﾝ", "O'Brien & Sons", "その他"),
    ("\"いろは\"企画", "ｲﾛﾊｷｶｸ", "\"Iroha\" Planning", "情報通信"),
    ("花丸フラワー🌸", "ﾊﾅﾏﾙﾌﾗﾜｰ", "Hanamaru Flower 🌸", "小売"),
    ("C:\\WORKS合同会社", "ｼｰﾜｰｸｽ", "C:\\WORKS LLC", "情報通信"),
    ("100%_果汁本舗", "ﾋｬｸﾊﾟｰｾﾝﾄｶｼﾞｭｳ", "100%_Juice", "小売"),
    ("カ\u{3099}ラス工房 澪", "ｶﾞﾗｽｺｳﾎﾞｳﾐｵ", "Glass Studio Mio", "製造"),
    ("葛\u{e0100}城酒造", "ｶﾂﾗｷﾞｼｭｿﾞｳ", "Katsuragi Brewery", "製造"),
    ("👨\u{200d}👩\u{200d}👧ファミリー企画", "ﾌｧﾐﾘｰｷｶｸ", "Family Planning Co.", "医療・福祉"),
    ("ＡＢＣ　ホールディングス", "ｴｰﾋﾞｰｼｰ", "ABC Holdings", "不動産"),
    ("①番館ホテル", "ｲﾁﾊﾞﾝｶﾝﾎﾃﾙ", "Hotel Ichibankan", "宿泊・飲食"),
];

/// (prefecture, city, start of the postal code).
pub(super) const PLACES: &[(&str, &str, &str)] = &[
    ("東京都", "千代田区丸の内", "100"),
    ("東京都", "港区芝公園", "105"),
    ("東京都", "新宿区西新宿", "160"),
    ("神奈川県", "横浜市西区みなとみらい", "220"),
    ("大阪府", "大阪市北区梅田", "530"),
    ("愛知県", "名古屋市中村区名駅", "450"),
    ("福岡県", "福岡市博多区博多駅前", "812"),
    ("北海道", "札幌市中央区大通西", "060"),
    ("宮城県", "仙台市青葉区中央", "980"),
    ("広島県", "広島市中区紙屋町", "730"),
    ("京都府", "京都市下京区烏丸通", "600"),
    ("群馬県", "高崎市八島町", "370"),
    ("沖縄県", "那覇市おもろまち", "900"),
    ("新潟県", "新潟市中央区万代", "950"),
];

/// Prefectures, as the places use them.
pub(super) const PREFECTURES: &[&str] = &[
    "北海道",
    "宮城県",
    "群馬県",
    "東京都",
    "神奈川県",
    "新潟県",
    "愛知県",
    "京都府",
    "大阪府",
    "広島県",
    "福岡県",
    "沖縄県",
];

/// People at customers.
pub(super) const CONTACTS: &[&str] = &[
    "髙橋 一郎",
    "𠮷田 花子",
    "山﨑 智子",
    "濵口 学",
    "渡邊 修",
    "斎藤 直美",
    "齊藤 大地",
    "邉見 葵",
    "佐々木 希",
    "長谷川 蓮",
    "ﾊﾔｼ ﾏｻﾙ",
    "李 明",
    "Emily O'Connor",
    "小野寺 光",
    "神宮寺 凛",
    "森　太郎",
];

/// Their positions.
pub(super) const POSITIONS: &[&str] =
    &["代表取締役", "購買部 部長", "総務課長", "情報システム室", "店長", "経理担当", "工場長"];

/// What was said at a meeting.
pub(super) const TALKS: &[&str] = &[
    "見積書の内容について説明。\n値引きの相談あり、次回までに回答する。",
    "新商品のサンプルを持参した。先方の反応は良好😊",
    "予算の都合で来期に延期したいとのこと。",
    "「納期を早めてほしい」と要望あり。\n物流課に確認のうえ、折り返し連絡する。",
    "競合のＡ社と比較検討中。価格差は約１０％。",
    "担当者不在のため、資料のみお渡しした。",
    "導入後の運用について質疑。\n・保守の範囲\n・障害時の連絡先\n・契約更新の時期",
    "先方いわく \"来週中に決裁\" とのこと。O'Brien氏も同席。",
    "品番\t数量\t希望納期\nA-100\t20\t月末\nB-200\t5\t翌月",
    "共有フォルダ \\\\srv01\\営業\\見積 に資料を保存済み。",
    "電話にて受注確度を確認。ほぼ決まり👍",
    "請求書の宛名を「㈱」から「株式会社」に変更してほしいとのこと。",
    "ｶﾀﾛｸﾞ請求あり。郵送で対応。",
    "クレーム対応。原因は梱包不良のため、代替品を手配。\n\n再発防止策：\n１．緩衝材の変更\n２．出荷前の検品",
    "特になし。",
    "定例訪問。追加の引き合いはなし。",
];

/// Rich text.
pub(super) const PROPOSALS: &[&str] = &[
    "<div>今期の提案は<b>省エネ</b>と<u>保守一体</u>の2本立て。</div><div><br /></div><div>詳細は添付を参照。</div>",
    "<div><span style=\"color: #ff0000\">要注意</span>：支払サイト 60日</div>",
    "<ul><li>年間契約で 5% 引き</li><li>初回のみ送料無料</li></ul>",
    "<div>先方サイト：<a href=\"https://www.example.co.jp/?a=1&amp;b=2\" target=\"_blank\">会社案内</a></div>",
    "<div>次回は&quot;役員同席&quot;で訪問する 🙏</div>",
];

/// Short notes.
pub(super) const NOTES: &[&str] = &[
    "請求書は月末締め翌月末払い。",
    "駐車場なし。\n来訪時は公共交通機関を利用。",
    "旧社名：大正商会㈱\n（５年前に変更）",
    "受付で \"サンプル商事\" と名乗ること。",
    "連絡は午前中に。\tFAX不可。",
    "社長は𠮷野氏、専務は髙﨑氏。",
];

/// Pieces of an e-mail or web address.
pub(super) const DOMAINS: &[&str] = &["example.co.jp", "example.com", "example.jp", "example.ne.jp"];
