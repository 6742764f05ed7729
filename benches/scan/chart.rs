//! The comparisons as bars: how many times as fast, on a scale of powers of ten, with a mark at each goal.

use std::fmt::Write as _;

use super::compare::{COMPARISONS, Results};
use super::report::{ratio, times};

const WIDTH: f64 = 860.0;
/// Where the bars begin.
const LEFT: f64 = 360.0;
/// Room for a number after the longest bar.
const RIGHT: f64 = 70.0;
const TOP: f64 = 64.0;
const LINE: f64 = 26.0;
/// The ends of the scale.
const LEAST: f64 = 0.1;
const MOST: f64 = 1000.0;

/// Colours for a light page and a dark one.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.small { font-size: 11px; fill: #57606a }
.grid { stroke: #d0d7de }
.even { stroke: #57606a }
.bar { fill: #2f6fd0 }
.lost { fill: #b35900 }
.goal { stroke: #cf222e; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .small { fill: #9198a1 }
  .grid { stroke: #3d444d }
  .even { stroke: #9198a1 }
  .bar { fill: #6ea8fe }
  .lost { fill: #f0a050 }
  .goal { stroke: #ff7b72 }
}";

fn x(ratio: f64) -> f64 {
    let share = (ratio.clamp(LEAST, MOST) / LEAST).log10() / (MOST / LEAST).log10();
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

/// The chart as SVG.
pub(crate) fn draw(results: &Results) -> String {
    let height = TOP + LINE * COMPARISONS.len() as f64 + 12.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>How many times as fast as the official client</title>\n<style>\n{STYLE}\n</style>\n\
         <text class=\"title\" x=\"8\" y=\"20\">Times as fast as @kintone/rest-api-client</text>\n\
         <text class=\"small\" x=\"8\" y=\"38\">red marks are goals; 1 is as fast; left of it is slower</text>\n"
    );
    for power in -1..=3 {
        let value = 10_f64.powi(power);
        let (x, class) = (x(value), if power == 0 { "even" } else { "grid" });
        writeln!(
            out,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{:.0}\"/>\n\
             <text class=\"small\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{value}</text>",
            TOP - 6.0,
            height - 8.0,
            TOP - 12.0
        )
        .unwrap();
    }
    for (place, of) in COMPARISONS.iter().enumerate() {
        let y = TOP + LINE * place as f64;
        let ratio = ratio(results, of);
        let (from, to) = (x(1.0).min(x(ratio)), x(1.0).max(x(ratio)));
        let class = if ratio < 1.0 { "lost" } else { "bar" };
        let middle = y + 15.0;
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{middle:.0}\" text-anchor=\"end\">{} · {} ms</text>\n\
             <rect class=\"{class}\" x=\"{from:.1}\" y=\"{:.0}\" width=\"{:.1}\" height=\"16\"/>\n\
             <text x=\"{:.1}\" y=\"{middle:.0}\">{}</text>",
            LEFT - 10.0,
            short(of.what),
            of.latency,
            y + 2.0,
            (to - from).max(1.0),
            to + 6.0,
            times(ratio)
        )
        .unwrap();
        if let Some(goal) = of.goal {
            let x = x(goal);
            writeln!(
                out,
                "<line class=\"goal\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{:.0}\"/>",
                y,
                y + 20.0
            )
            .unwrap();
        }
    }
    out + "</svg>\n"
}

/// Short enough for the left side.
fn short(what: &str) -> String {
    what.replace("100,000 records", "100,000").replace(" requests at once", " at once").replace('`', "")
}
