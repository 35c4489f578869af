//! Figures -> a chart of the medians (SVG) that follows the reader's choice of light or dark.

use std::fmt::Write;

use crate::line_up::{BARE_HTTP, BARE_RUNTIME, EXPRESS, FLASK, JWT_VERIFY, OURS};
use crate::measure::Figures;

const BARS: [&str; 6] = [OURS, BARE_RUNTIME, BARE_HTTP, JWT_VERIFY, EXPRESS, FLASK];

const WIDTH: f64 = 860.0;
const LABELS: f64 = 200.0;
const VALUES: f64 = 90.0;
const BAR: f64 = 22.0;
const TITLE: f64 = 46.0;

pub fn svg(figures: &Figures) -> String {
    let cold = if figures.no_share.is_none() { "Cold start at 128 MB" } else { "Cold start" };
    let panels: [(&str, &str, fn(&Figures, &str) -> f64); 4] = [
        (cold, "ms", |figures, name| figures.cold[name].median() / 1e3),
        ("Warm authorised request", "ms", |figures, name| figures.warm[name].latency.median() / 1e3),
        ("CPU time of a warm authorised request", "ms", |figures, name| figures.warm[name].cpu.median() / 1e3),
        ("Peak memory", "MiB", |figures, name| {
            let memory = &figures.memory[name];
            memory.late.as_ref().unwrap_or(&memory.early).median() / 1024.0
        }),
    ];
    let bars: Vec<_> = BARS.into_iter().filter(|name| figures.warm.contains_key(name)).collect();
    let mut body = String::new();
    let mut y = 0.0;
    for (title, unit, value) in panels {
        y += TITLE;
        _ = writeln!(body, r#"<text class="title" x="0" y="{}">{title}</text>"#, y - 12.0);
        let most = bars.iter().map(|name| value(figures, name)).fold(0.0, f64::max);
        for name in &bars {
            let value = value(figures, name);
            let width = (value / most * (WIDTH - LABELS - VALUES)).max(1.5);
            let (class, middle) = (if *name == OURS { "ours" } else { "other" }, y + BAR * 0.68);
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
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 0 {} {}" role="img" aria-label="Cold start, warm request, CPU time and memory of this function beside others">
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
