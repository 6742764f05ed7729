//! 商品: what the company sells; other apps look it up by its code.

use crate::emulator::app::{AppDefinition, Cell, Record};
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::jst;
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field::{self, Field, Lookup};
use crate::emulator::demo::form::Form;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::movements;

/// The app's id.
pub(super) const ID: u64 = 1_354_840;
/// The app's code.
pub(super) const CODE: &str = "PRODUCTS";

/// What other apps know of a product. Money is in hundredths of a yen.
pub(super) struct Product {
    /// 商品コード.
    pub(super) code: String,
    /// 商品名.
    pub(super) name: String,
    kind: &'static str,
    unit: &'static str,
    /// 単価, as it is today.
    pub(super) price: i64,
    /// 旧単価 and 価格改定日, where the price has changed.
    old_price: Option<(i64, i64)>,
    /// 税率 in percent.
    pub(super) tax: i64,
    /// 販売終了日.
    ends_on: Option<i64>,
}

impl Product {
    /// Its price on a day, as a lookup would have copied it.
    pub(super) fn price_on(&self, day: i64) -> i64 {
        match self.old_price {
            Some((old, changed_on)) if day < changed_on => old,
            _ => self.price,
        }
    }
}

/// (name, kind, price in hundredths of a yen, unit, tax in percent).
const MODELS: &[(&str, &str, i64, &str, i64)] = &[
    ("コピー用紙 A4 500枚", "事務用品", 49_800, "冊", 10),
    ("ボールペン 0.5mm", "事務用品", 8_850, "本", 10),
    ("蛍光マーカー", "事務用品", 10_200, "本", 10),
    ("クリアファイル A4", "事務用品", 1_275, "枚", 10),
    ("封筒 長3（㈱ﾛｺﾞ入）", "事務用品", 985, "枚", 10),
    ("ﾎｯﾁｷｽ針 No.10", "事務用品", 9_800, "箱", 10),
    ("オフィスチェア", "オフィス家具", 2_480_000, "脚", 10),
    ("昇降デスク W1200", "オフィス家具", 6_980_000, "台", 10),
    ("ロッカー ３人用", "オフィス家具", 4_350_000, "台", 10),
    ("会議テーブル", "オフィス家具", 8_900_000, "台", 10),
    ("パーティション", "オフィス家具", 1_790_000, "枚", 10),
    ("モニター 27型", "ＰＣ周辺機器", 3_280_000, "台", 10),
    ("無線マウス", "ＰＣ周辺機器", 298_000, "個", 10),
    ("キーボード（日本語配列）", "ＰＣ周辺機器", 598_000, "個", 10),
    ("USB-Cケーブル 1m", "ＰＣ周辺機器", 98_000, "本", 10),
    ("LANケーブル", "ＰＣ周辺機器", 12_050, "m", 10),
    ("Webカメラ \"HD\"", "ＰＣ周辺機器", 498_000, "台", 10),
    ("ヘルメット", "安全用品", 215_000, "個", 10),
    ("安全靴", "安全用品", 548_000, "足", 10),
    ("軍手 12双", "安全用品", 39_800, "束", 10),
    ("防塵マスク", "安全用品", 4_525, "枚", 10),
    ("消火器 １０型", "安全用品", 598_000, "本", 10),
    ("六角ボルト M8", "安全用品", 85, "本", 10),
    ("ミネラルウォーター 2L", "飲料・食品", 9_800, "本", 8),
    ("ドリップ☕コーヒー", "飲料・食品", 64_800, "箱", 8),
    ("緑茶ティーバッグ", "飲料・食品", 39_800, "袋", 8),
    ("非常食セット", "飲料・食品", 498_000, "箱", 8),
    ("せんべい詰合せ", "飲料・食品", 298_000, "箱", 8),
    ("設置サービス", "サービス", 500_000, "式", 10),
    ("特別値引", "サービス", -100_000, "式", 10),
];

const VARIANTS: &[&str] = &["", "（ブラック）", "（ホワイト）", "【徳用】"];
const KINDS: &[&str] = &["事務用品", "オフィス家具", "ＰＣ周辺機器", "安全用品", "飲料・食品", "サービス"];
const CHANNELS: &[&str] = &["店舗", "ＥＣ", "法人営業", "代理店"];
const DESCRIPTIONS: &[&str] = &[
    "<div>定番の<b>売れ筋</b>商品です。</div>",
    "<div>まとめ買いで<span style=\"color: rgb(255, 0, 0)\">10%引き</span></div>",
    "<div>仕様：&lt;社外秘&gt; &amp; 別紙参照</div>",
];

/// All products.
pub(super) fn all(company: &Company) -> Vec<Product> {
    super::entries(company, ID, count())
        .map(|mut entry| product(company, entry.id, entry.index, &mut entry.dice))
        .collect()
}

/// A field that looks up a product.
pub(super) fn lookup(code: &'static str, copies: &'static [(&'static str, &'static str)]) -> Field {
    field::text(code).lookup(&Lookup {
        app: ID,
        app_code: CODE,
        key: "商品コード",
        copies,
        shows: &["商品コード", "商品名", "単価"],
        sort: "商品コード asc",
    })
}

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(company, ID, "商品", "<div>商品マスタ。単価の改定は物流課まで。</div>", form());
    app.code = CODE.into();
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("商品名", "GREEN");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let stock = movements::stock(company, kept());
    super::entries(company, ID, count())
        .map(|mut entry| {
            let product = product(company, entry.id, entry.index, &mut entry.dice);
            // The catalogue was set up with the app; a product is not younger than its first sale.
            entry.created_at = jst(company.calendar.first(), 0);
            let stock = stock.get(entry.index).copied();
            let cells = cells(company, &product, stock, entry.id, &mut entry.dice);
            entry.record(company, people::ADMIN, cells)
        })
        .collect()
}

const VIEWS: &[View] = &[
    View::List {
        name: "販売中の商品",
        fields: &["商品コード", "商品名", "商品分類", "単価", "現在庫数"],
        filter: "販売終了日 = \"\" or 販売終了日 >= TODAY()",
        sort: "商品コード asc",
    },
    View::List {
        name: "在庫切れ",
        fields: &["商品コード", "商品名", "現在庫数", "発注点"],
        filter: "現在庫数 <= 0 and 商品分類 not in (\"サービス\")",
        sort: "現在庫数 asc",
    },
];

fn form() -> Form {
    Form::default()
        .row(vec![
            field::text("商品コード").required().unique().longest("10"),
            field::text("商品名").required(),
            field::drop_down("商品分類", KINDS).required(),
            field::text("JANコード").label("ＪＡＮコード"),
        ])
        .row(vec![
            field::number("単価").yen().required().decimals("2"),
            field::number("原価").yen().decimals("4"),
            field::calc("粗利率", "NUMBER", "(単価 - 原価) / 単価 * 100").unit("%").decimals("2"),
            field::text("単位").starts_as("個"),
            field::number("税率").required().starts_as("0.1"),
        ])
        .row(vec![
            field::number("旧単価").yen(),
            field::date("価格改定日"),
            field::date("販売開始日"),
            field::date("販売終了日"),
        ])
        .row(vec![
            field::number("現在庫数"),
            field::number("発注点").limits("0", "100000"),
            field::check_box("販売チャネル", CHANNELS),
        ])
        .row(vec![field::link("商品ページ", "WEB"), field::files("商品画像"), field::rich_text("商品説明")])
        .finish(false, false)
}

fn count() -> usize {
    MODELS.len() * VARIANTS.len()
}

/// How many products lie on shelves; services come last and do not.
pub(super) fn kept() -> usize {
    MODELS.iter().filter(|model| model.1 != "サービス").count() * VARIANTS.len()
}

fn product(company: &Company, id: u64, index: usize, dice: &mut Dice) -> Product {
    let (model, kind, base, unit, tax) = MODELS.get(index / VARIANTS.len()).copied().unwrap_or_default();
    let variant = index % VARIANTS.len();
    let step = i64::try_from(variant).unwrap_or(0);
    let price = base + base / 20 * step;
    let calendar = &company.calendar;
    let raised = dice.chance(60);
    let changed_on = dice.between(calendar.first() + 100, calendar.today() - 30);
    let ends_on = dice.chance(12).then(|| dice.between(calendar.today() - 200, calendar.today() + 200));
    Product {
        code: format!("P-{id:04}"),
        name: format!("{model}{}", VARIANTS.get(variant).copied().unwrap_or_default()),
        kind,
        unit,
        price,
        old_price: raised.then_some((price * 9 / 10, changed_on)),
        tax,
        ends_on,
    }
}

fn cells(company: &Company, product: &Product, stock: Option<i64>, id: u64, dice: &mut Dice) -> Vec<Cell> {
    let calendar = &company.calendar;
    let cost = dice.chance(92).then(|| product.price * dice.between(45, 80));
    let release = calendar.first() - dice.between(0, 2_000);
    let image = [("商品写真.png", "image/png"), ("図面.pdf", "application/pdf")];
    let pages = dice.below(3);
    vec![
        cell::text(product.code.as_str()),
        cell::text(product.name.as_str()),
        cell::text(product.kind),
        if dice.chance(85) { cell::text(format!("49{:011}", id * 7_919)) } else { Cell::Empty },
        cell::decimal(product.price, 2),
        cell::maybe(cost, |cost| cell::decimal(cost, 4)),
        cell::decimal(margin(product.price, cost.unwrap_or(0)), 4),
        if dice.chance(90) { cell::text(product.unit) } else { Cell::Empty },
        cell::decimal(product.tax, 2),
        cell::maybe(product.old_price, |(price, _)| cell::decimal(price, 2)),
        cell::maybe(product.old_price, |(_, day)| cell::text(calendar.date(day))),
        if dice.chance(90) { cell::text(calendar.date(release)) } else { Cell::Empty },
        cell::maybe(product.ends_on, |day| cell::text(calendar.date(day))),
        cell::maybe(stock, cell::integer),
        if dice.chance(85) { cell::integer(dice.between(0, 20) * 10) } else { Cell::Empty },
        cell::texts(dice.some_of(CHANNELS, 40)),
        if dice.chance(80) {
            cell::text(format!("https://shop.example.co.jp/p/{id}?lang=ja"))
        } else {
            Cell::Empty
        },
        cell::files(ID, id, image.get(..pages).unwrap_or_default()),
        if dice.chance(70) { cell::text(dice.pick(DESCRIPTIONS)) } else { Cell::Empty },
    ]
}

/// (price - cost) / price * 100 in units of 0.0001, as Kintone computes it: the quotient keeps four
/// decimals, half to even. `price` has two decimals, `cost` four.
fn margin(price: i64, cost: i64) -> i64 {
    let (above, below) = ((price * 100 - cost) * 10_000, price * 100);
    let (above, below) = if below < 0 { (-above, -below) } else { (above, below) };
    if below == 0 {
        return 0;
    }
    let (whole, rest) = (above.div_euclid(below), above.rem_euclid(below));
    let up = rest * 2 > below || (rest * 2 == below && whole % 2 != 0);
    (whole + i64::from(up)) * 100
}
