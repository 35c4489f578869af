//! Figures -> a chart of the medians (SVG) that follows the reader's choice of light or dark.

use std::fmt::Write;

use crate::far::ROUND_TRIP;
use crate::line_up::{BARE_HTTP, BARE_RUNTIME, EXPRESS, FAR, FLASK, JWT_VERIFY, OURS, PINNED};
use crate::measure::Figures;

const BARS: &[&str] = &[OURS, BARE_RUNTIME, BARE_HTTP, JWT_VERIFY, EXPRESS, FLASK];

const WIDTH: f64 = 860.0;
const LABELS: f64 = 260.0;
const VALUES: f64 = 90.0;
const BAR: f64 = 22.0;
const TITLE: f64 = 46.0;

pub fn svg(figures: &Figures) -> String {
    let cold = if figures.no_share.is_none() { "Cold start at 128 MB" } else { "Cold start" };
    let far = format!("{cold}, the tenant {} ms of round trip away", ROUND_TRIP.as_millis());
    let panels: [(&str, &str, &[&str], fn(&Figures, &str) -> Option<f64>); 5] = [
        (cold, "ms", BARS, |figures, name| Some(figures.cold.get(name)?.median() / 1e3)),
        (&far, "ms", &FAR, |figures, name| Some(figures.far.get(name)?.median() / 1e3)),
        ("Warm authorised request", "ms", BARS, |figures, name| Some(figures.warm.get(name)?.latency.median() / 1e3)),
        ("CPU time of a warm authorised request", "ms", BARS, |figures, name| {
            Some(figures.warm.get(name)?.cpu.median() / 1e3)
        }),
        ("Peak memory", "MiB", BARS, |figures, name| {
            let memory = figures.memory.get(name)?;
            Some(memory.late.as_ref().unwrap_or(&memory.early).median() / 1024.0)
        }),
    ];
    let mut body = String::new();
    let mut y = 0.0;
    for (title, unit, names, value) in panels {
        let bars: Vec<_> = names.iter().filter_map(|name| Some((name, value(figures, name)?))).collect();
        if bars.is_empty() {
            continue;
        }
        y += TITLE;
        _ = writeln!(body, r#"<text class="title" x="0" y="{}">{title}</text>"#, y - 12.0);
        let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        for (name, value) in bars {
            let width = (value / most * (WIDTH - LABELS - VALUES)).max(1.5);
            let (class, middle) = (if [OURS, PINNED].contains(name) { "ours" } else { "other" }, y + BAR * 0.68);
            let number = if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") };
            _ = writeln!(
                body,
                r#"<text class="{class}" x="{}" y="{middle}" text-anchor="end">{name}</text>"#,
                LABELS - 10.0
            );
            _ = writeln!(
                body,
                r#"<rect class="{class}" x="{LABELS}" y="{}" width="{width:.1}" height="{}" rx="2"/>"#,
                y + 3.0,
                BAR - 6.0
            );
            _ = writeln!(body, r#"<text x="{:.1}" y="{middle}">{number} {unit}</text>"#, LABELS + width + 8.0);
            y += BAR;
        }
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 0 {} {}" role="img" aria-label="Cold start near the tenant and far from it, warm request, CPU time and memory of this function beside others">
<style>
text {{ font: 13px system-ui, sans-serif; fill: #57606a }}
.title {{ font-weight: 600; font-size: 14px; fill: #1f2328 }}
text.ours {{ font-weight: 600; fill: #1f2328 }}
rect.ours {{ fill: #b7410e }}
rect.other {{ fill: #afb8c1 }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #9198a1 }}
.title, text.ours {{ fill: #f0f6fc }}
rect.ours {{ fill: #f08a4b }}
rect.other {{ fill: #4d5560 }}
}}
</style>
{body}</svg>
"#,
        WIDTH + 32.0,
        y + 16.0,
    )
}
