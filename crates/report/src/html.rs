//! A report as one page that needs no network: its style, its charts and a little script are inside,
//! and it says the same without the script.

mod policy;
#[cfg(test)]
mod theme;

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::charts::{self, DrawnChart};
use crate::content::{Block, Cell, Content, Fact, Listed, Opening, Table, Tone};

/// Sections above which a table of contents pays.
const CONTENTS_FROM: usize = 5;

/// Warnings that are open in the first screen; more are folded away.
const OPEN_WARNINGS: usize = 2;

/// Characters of a finding above which the figures come before it.
const LONG: usize = 320;

const SCRIPT: &str = include_str!("html/script.js");

/// The whole page of a report, its style and charts inside.
pub(crate) fn page(content: &Content, charts: &[DrawnChart]) -> String {
    opened(content, &Opening::default(), charts, "reranking report")
}

/// The same with what stands in its first screen, and what kind of page it is.
pub(crate) fn opened(
    content: &Content,
    opening: &Opening,
    charts: &[DrawnChart],
    kind: &str,
) -> String {
    let style = style();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy::policy(&style, SCRIPT));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content="secondpass";
                title { (shown(&content.title)) " – " (kind) }
                style { (PreEscaped(&style)) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                main id="main" tabindex="-1" {
                    (first_screen(content, opening))
                    div.body {
                        @if content.sections.len() > CONTENTS_FROM {
                            (contents(content, opening))
                        }
                        div {
                            @for section in &content.sections {
                                section id=(section.id) {
                                    h2 {
                                        (section.title) " "
                                        a.anchor href={ "#" (section.id) }
                                            aria-label={ "Link to " (section.title) } { "#" }
                                    }
                                    @for block in &section.blocks {
                                        (markup(block, section.title, charts))
                                    }
                                }
                            }
                        }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// The style, with what charts look like on a dark page: their colours are attributes of their shapes,
/// which a rule overrides.
fn style() -> String {
    let mut style = include_str!("style.css").to_owned();
    style += "@media screen and (prefers-color-scheme: dark) {\n";
    for (light, dark) in charts::dark() {
        let hex = |color: plotters::style::RGBColor| {
            format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
        };
        let (light, dark) = (hex(light), hex(dark));
        for part in ["fill", "stroke"] {
            // Writing to a String cannot fail.
            let _ = writeln!(style, "  figure svg [{part}=\"{light}\"] {{ {part}: {dark}; }}");
        }
    }
    style + "}\n"
}

/// What can be read without scrolling: the answer, and the figures that it rests on.
fn first_screen(content: &Content, opening: &Opening) -> Markup {
    // What many rerankers' sentences say, their figures say sooner.
    let is_long = content.finding.chars().count() > LONG && !opening.facts.is_empty();
    html! {
        @for banner in &content.banners {
            p.banner role="note" { strong { (banner.title) " " } (shown(&banner.text)) }
        }
        header {
            p.subtitle { (shown(&content.subtitle)) }
            h1 { (shown(&content.title)) }
            @if !content.finding.trim().is_empty() && !is_long {
                p.finding { (shown(&content.finding)) }
            }
            @if !opening.facts.is_empty() {
                dl.facts { @for fact in &opening.facts { (figure_of(fact)) } }
            }
            @if is_long {
                p.finding.long { (shown(&content.finding)) }
            }
            @if !opening.lists.is_empty() {
                div.lists { @for listed in &opening.lists { (listed_of(listed)) } }
            }
        }
        @if !content.warnings.is_empty() {
            details.warnings open[content.warnings.len() <= OPEN_WARNINGS] {
                summary {
                    @match content.warnings.len() {
                        1 => { "Watch one thing" }
                        many => { "Watch " (many) " things" }
                    }
                }
                (list(&content.warnings))
            }
        }
    }
}

fn figure_of(fact: &Fact) -> Markup {
    let tone = match fact.tone {
        Tone::Plain => "fact",
        Tone::Good => "fact good",
        Tone::Bad => "fact bad",
        Tone::Unsure => "fact unsure",
    };
    html! {
        div class=(tone) {
            dt { (shown(&fact.label)) }
            dd.value { (shown(&fact.value)) }
            @for detail in &fact.details { dd.detail { (shown(detail)) } }
        }
    }
}

fn listed_of(listed: &Listed) -> Markup {
    html! {
        div {
            h2 { (listed.title) }
            ul {
                @for (about, text) in &listed.items {
                    li { @if !about.is_empty() { strong { (shown(about)) ": " } } (shown(text)) }
                }
            }
        }
    }
}

/// The table of contents, with the parts of the page.
fn contents(content: &Content, opening: &Opening) -> Markup {
    let part = |id: &str| opening.parts.iter().find(|(first, _)| *first == id);
    html! {
        nav aria-label="Contents" {
            ol {
                @for section in &content.sections {
                    @if let Some((_, name)) = part(section.id) { li.part { (name) } }
                    li { a href={ "#" (section.id) } { (section.title) } }
                }
            }
        }
    }
}

fn markup(block: &Block, section: &str, charts: &[DrawnChart]) -> Markup {
    match block {
        Block::Text(text) => html! { p { (shown(text)) } },
        Block::List(items) => list(items),
        Block::Table(rows) => table(rows, section),
        Block::Folded(name, rows) => html! {
            details { summary { (shown(name)) } (table(rows, name)) }
        },
        Block::Heading(text) => html! { h3 { (shown(text)) } },
        Block::Chart(name) => html! {
            @if let Some(chart) = charts.iter().find(|chart| chart.name == *name) {
                // The SVG holds its own title and description, and text that is escaped already.
                figure id={ "chart-" (chart.name) } tabindex="0" aria-label=(shown(&chart.title)) {
                    (PreEscaped(&chart.svg))
                }
            }
        },
    }
}

fn list(items: &[String]) -> Markup {
    html! { ul { @for item in items { li { (shown(item)) } } } }
}

fn table(table: &Table, name: &str) -> Markup {
    let figure = |index: usize| (index >= table.labels).then_some("figure");
    html! {
        // Wide tables scroll by themselves on a small screen; the tab stop lets keys do it.
        div.wide tabindex="0" role="region" aria-label={ "Table: " (shown(name)) } {
            table {
                thead {
                    tr {
                        @for (index, head) in table.head.iter().enumerate() {
                            th scope="col" class=[figure(index)] { (shown(head)) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 {
                                    th scope="row" { (inside(cell)) }
                                } @else {
                                    td class=[figure(index)] { (inside(cell)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn inside(cell: &Cell) -> Markup {
    let detail = |text: &Option<String>| {
        html! {
            @if let Some(text) = text { " " span.detail { (shown(text)) } }
        }
    };
    html! {
        (shown(&cell.text)) (detail(&cell.detail))
        @if !cell.items.is_empty() {
            ol.top {
                @for item in &cell.items { li { (shown(&item.text)) (detail(&item.detail)) } }
            }
        }
    }
}

/// Text without the control characters that HTML forbids; maud escapes the rest.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{charts, content, fixture};

    fn rendered(record: &secondpass_evaluation::Record, finding: &str) -> String {
        let charts = charts::draw(record, &fixture::rows(record)).unwrap();
        let content = content::of(record, finding);
        opened(&content, &content::opening(record), &charts, "reranking report")
    }

    /// The page without our script.
    fn without_script(page: &str) -> String {
        assert_eq!(page.matches("<script").count(), 1, "more than our script");
        page.replace(&format!("<script>{SCRIPT}</script>"), "")
    }

    #[test]
    fn one_reranker() {
        let mut record = fixture::record(1);
        record.experiment.demonstration = Some("These figures predict nothing.".into());
        record.experiment.warnings = vec!["Few queries; judge more.".into()];
        let page = rendered(&record, "helpdesk-mini is better than BM25.");
        // The style is a file of its own, the pictures have tests of their own, and line breaks make
        // the snapshot's changes readable.
        let page = page.replace(&style(), "…").replace(SCRIPT, "…");
        let page = page.replace(&policy::policy(&style(), SCRIPT), "…");
        let page = without_drawings(&page).replace("><", ">\n<");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn markup_in_names_is_escaped() {
        let page = without_script(&rendered(&fixture::hostile(), fixture::HOSTILE));
        assert!(!page.contains("<script"), "markup got through");
        assert!(page.contains("&lt;script&gt;alert('x')&lt;/script&gt; &amp; &quot;q&quot; | *b*"));
        assert!(!page.contains('\u{7}'));
    }

    #[test]
    fn nothing_is_fetched_and_only_our_script_is_run() {
        let page = rendered(&fixture::record(8), "");
        for asks in ["fetch", "XMLHttpRequest", "import", "http", "innerHTML", "eval"] {
            assert!(!SCRIPT.contains(asks), "{asks}");
        }
        let page = without_script(&page);
        for reference in ["src=", "url(", "@import", "<script", "<link", "onload"] {
            assert!(!page.contains(reference), "{reference}");
        }
        // Links lead to places within the page only.
        let targets = values(&page, "href=\"");
        assert!(targets.len() > 10, "{targets:?}");
        for target in targets {
            let id = target.strip_prefix('#').unwrap();
            assert!(page.contains(&format!("id=\"{id}\"")), "{target} is missing");
        }
        // The only address is the name of SVG's namespace.
        let page = page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "");
        assert_eq!(page.find("http"), None);
    }

    #[test]
    fn headings_descend_one_level_at_a_time() {
        for record in [fixture::record(0), fixture::record(2), fixture::hosted()] {
            let page = rendered(&record, "A finding.");
            let levels: Vec<u8> = (page.match_indices("<h"))
                .filter_map(|(at, _)| page.as_bytes().get(at + 2).filter(|b| b.is_ascii_digit()))
                .map(|digit| digit - b'0')
                .collect();
            assert_eq!(levels[0], 1);
            assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
            assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
        }
    }

    #[test]
    fn few_sections_need_no_table_of_contents() {
        let record = fixture::record(0);
        let mut content = content::of(&record, "");
        assert!(page(&content, &[]).contains("<nav"));
        content.sections.truncate(5);
        assert!(!page(&content, &[]).contains("<nav"));
    }

    #[test]
    fn every_chart_has_a_table_in_its_section() {
        for section in content::of(&fixture::hosted(), "").sections {
            let has = |wanted: fn(&Block) -> bool| section.blocks.iter().any(wanted);
            if has(|block| matches!(block, Block::Chart(_))) {
                assert!(has(|block| matches!(block, Block::Table(_))), "{}", section.id);
            }
        }
    }

    #[test]
    fn the_banner_comes_first() {
        let mut record = fixture::record(1);
        record.experiment.demonstration = Some("These figures predict nothing.".into());
        let page = rendered(&record, "");
        let (banner, heading) = (page.find("class=\"banner\""), page.find("<h1"));
        assert!(banner.unwrap() < heading.unwrap());

        record.systems[1].origin = secondpass_core::Origin::Mock;
        let page = rendered(&record, "");
        let top = page.split("<h1").next().unwrap().split("</head>").last().unwrap();
        assert_eq!(top.matches("class=\"banner\"").count(), 2, "{top}");
        assert!(top.contains("helpdesk-mini (mock) decides nothing"), "{top}");
    }

    #[test]
    fn ids_are_unique_and_references_resolve() {
        let page = rendered(&fixture::hosted(), "");
        let ids: Vec<&str> = values(&page, " id=\"");
        for id in ["cost", "destinations", "chart-quality-cost"] {
            assert!(ids.contains(&id), "{id} is missing");
        }
        for (index, id) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(id), "{id} twice");
        }
        for reference in values(&page, "aria-labelledby=\"") {
            for id in reference.split(' ') {
                assert!(ids.contains(&id), "{id} is missing");
            }
        }
    }

    /// The page with the strokes of each picture left out; its title and description stay.
    fn without_drawings(page: &str) -> String {
        let mut parts = page.split("</desc>");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (_, rest) = part.split_once("</svg>").unwrap();
            out += "</desc>…</svg>";
            out += rest;
        }
        out
    }

    fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
        page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }
}
