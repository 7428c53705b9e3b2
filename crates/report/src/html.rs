//! `report.html`: one page that needs no network and no script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::charts::DrawnChart;
use crate::content::{Block, Cell, Content, Table};

/// Sections above which a table of contents pays.
const CONTENTS_FROM: usize = 5;

/// The whole page, its style and charts inside.
pub(crate) fn page(content: &Content, charts: &[DrawnChart]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content="secondpass";
                title { (shown(&content.title)) " – reranking report" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                main {
                    @for banner in &content.banners {
                        p.banner role="note" {
                            strong { (banner.title) " " } (shown(&banner.text))
                        }
                    }
                    header {
                        h1 { (shown(&content.title)) }
                        p.subtitle { (shown(&content.subtitle)) }
                        @if !content.finding.trim().is_empty() {
                            p.finding { (shown(&content.finding)) }
                        }
                    }
                    @if !content.warnings.is_empty() {
                        div.warnings role="note" {
                            p { "Watch" }
                            (list(&content.warnings))
                        }
                    }
                    @if content.sections.len() > CONTENTS_FROM {
                        nav aria-label="Contents" {
                            ol {
                                @for section in &content.sections {
                                    li { a href={ "#" (section.id) } { (section.title) } }
                                }
                            }
                        }
                    }
                    @for section in &content.sections {
                        section id=(section.id) {
                            h2 {
                                (section.title) " "
                                a.anchor href={ "#" (section.id) }
                                    aria-label={ "Link to " (section.title) } { "#" }
                            }
                            @for block in &section.blocks { (markup(block, charts)) }
                        }
                    }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn markup(block: &Block, charts: &[DrawnChart]) -> Markup {
    match block {
        Block::Text(text) => html! { p { (shown(text)) } },
        Block::List(items) => list(items),
        Block::Table(rows) => table(rows),
        Block::Folded(name, rows) => html! {
            details { summary { (shown(name)) } (table(rows)) }
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

fn table(table: &Table) -> Markup {
    let figure = |index: usize| (index >= table.labels).then_some("figure");
    html! {
        // Wide tables scroll by themselves on a small screen; the tab stop lets keys do it.
        div.wide tabindex="0" {
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
        page(&content::of(record, finding), &charts)
    }

    #[test]
    fn one_reranker() {
        let mut record = fixture::record(1);
        record.experiment.demonstration = Some("These figures predict nothing.".into());
        record.experiment.warnings = vec!["Few queries; judge more.".into()];
        let page = rendered(&record, "helpdesk-mini is better than BM25.");
        // The style is a file of its own, the pictures have tests of their own, and line breaks make
        // the snapshot's changes readable.
        let page = page.replace(include_str!("style.css"), "…");
        let page = without_drawings(&page).replace("><", ">\n<");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn markup_in_names_is_escaped() {
        let page = rendered(&fixture::hostile(), fixture::HOSTILE);
        assert!(!page.contains("<script"), "markup got through");
        assert!(page.contains("&lt;script&gt;alert('x')&lt;/script&gt; &amp; &quot;q&quot; | *b*"));
        assert!(!page.contains('\u{7}'));
    }

    #[test]
    fn nothing_is_fetched_or_run() {
        let page = rendered(&fixture::record(8), "");
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
        assert_eq!(page.replace("http://www.w3.org/2000/svg", "").find("http"), None);
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
        let top = page.split("<h1").next().unwrap();
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
