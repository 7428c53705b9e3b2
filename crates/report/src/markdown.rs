//! `report.md`: GitHub's Markdown with tables and relative links to the charts.

use std::fmt::Write as _;

use crate::charts::DrawnChart;
use crate::content::{Block, Cell, Content, Fact, Opening, Table};

/// The whole page of a report.
pub(crate) fn page(content: &Content, charts: &[DrawnChart]) -> String {
    opened(content, &Opening::default(), charts)
}

/// The same with what stands at its beginning.
pub(crate) fn opened(content: &Content, opening: &Opening, charts: &[DrawnChart]) -> String {
    let mut paragraphs = vec![format!("# {}", escape(&content.title)), escape(&content.subtitle)];
    for banner in &content.banners {
        paragraphs.push(format!("> **{}** {}", banner.title, escape(&banner.text)));
    }
    if !content.finding.trim().is_empty() {
        paragraphs.push(format!("**Finding:** {}", escape(&content.finding)));
    }
    if !opening.facts.is_empty() {
        paragraphs.push(list(&opening.facts.iter().map(fact).collect::<Vec<_>>()));
    }
    for listed in &opening.lists {
        paragraphs.push(format!("**{}:**", listed.title));
        let item = |(about, text): &(String, String)| match about.is_empty() {
            true => text.clone(),
            false => format!("{about}: {text}"),
        };
        paragraphs.push(list(&listed.items.iter().map(item).collect::<Vec<_>>()));
    }
    if !content.warnings.is_empty() {
        paragraphs.push("**Watch:**".into());
        paragraphs.push(list(&content.warnings));
    }
    for section in &content.sections {
        paragraphs.push(format!("## {}", escape(section.title)));
        paragraphs.extend(section.blocks.iter().filter_map(|block| match block {
            Block::Text(text) => Some(escape(text)),
            Block::List(items) => Some(list(items)),
            Block::Table(rows) => Some(table(rows)),
            Block::Folded(name, rows) => Some(folded(name, rows)),
            Block::Heading(text) => Some(format!("### {}", escape(text))),
            Block::Chart(name) => charts.iter().find(|chart| chart.name == *name).map(image),
        }));
    }
    paragraphs.join("\n\n") + "\n"
}

/// A fact in a line: `Confidence: 88%; of 2,000 resamples`.
fn fact(fact: &Fact) -> String {
    let details = fact.details.iter().map(|detail| format!("; {detail}"));
    format!("{}: {}{}", fact.label, fact.value, details.collect::<String>())
}

pub(crate) fn list(items: &[String]) -> String {
    items.iter().map(|item| format!("- {}", escape(item))).collect::<Vec<_>>().join("\n")
}

fn image(chart: &DrawnChart) -> String {
    format!("![{}](charts/{}.svg)", escape(&chart.alt), chart.name)
}

pub(crate) fn table(table: &Table) -> String {
    let mut text = line(table.head.iter().map(|head| escape(head)));
    text += &line(table.head.iter().enumerate().map(|(index, _)| {
        let dashes = if index >= table.labels { "---:" } else { "---" };
        dashes.to_owned()
    }));
    for row in &table.rows {
        text += &line(row.iter().map(cell));
    }
    text.truncate(text.trim_end().len());
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = String::from("|");
    for cell in cells {
        // Writing to a String cannot fail.
        let _ = write!(line, " {cell} |");
    }
    line.push('\n');
    line
}

fn cell(cell: &Cell) -> String {
    let items = cell.items.iter().enumerate().map(|(index, item)| {
        format!("{}. {}", index + 1, qualified(&item.text, item.detail.as_deref()))
    });
    let own = qualified(&cell.text, cell.detail.as_deref());
    // A table's row is one line: only HTML can break it.
    Some(own)
        .filter(|own| !own.is_empty())
        .into_iter()
        .chain(items)
        .collect::<Vec<_>>()
        .join("<br>")
}

fn qualified(text: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => format!("{} {}", escape(text), escape(detail)),
        None => escape(text),
    }
}

/// GitHub folds it; where HTML is not read, the table stands open under its name.
fn folded(name: &str, rows: &Table) -> String {
    format!("<details><summary>{}</summary>\n\n{}\n\n</details>", escape(name), table(rows))
}

/// Text that shows as it is, on one line: whatever Markdown or HTML would read into it is escaped.
/// Square brackets become links only before `(`, `[` or `:`, so that intervals stay legible.
pub(crate) fn escape(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| chars.get(at)).copied();
        let after = chars.get(index + 1).copied();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let special = match c {
            '\\' | '`' | '*' | '|' | '~' | '$' => true,
            '_' => !(word(before) && word(after)),
            ']' => matches!(after, Some('(' | '[' | ':')),
            // These start a heading, an underline or a list, but not a signed number.
            '#' | '=' => before.is_none(),
            '+' | '-' => before.is_none() && !after.is_some_and(|c| c.is_ascii_digit()),
            '.' | ')' => {
                let number = index > 0 && chars[..index].iter().all(char::is_ascii_digit);
                number && after.is_none_or(char::is_whitespace)
            }
            _ => false,
        };
        if special {
            out.push('\\');
        }
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
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
    fn two_rerankers() {
        let mut record = fixture::with_retriever(2);
        record.experiment.demonstration = Some("These figures predict nothing.".into());
        record.experiment.warnings =
            vec!["1 query failed; raise the deadline and run again.".into()];
        insta::assert_snapshot!(rendered(&record, "helpdesk-mini is better than BM25."));
    }

    #[test]
    fn no_reranker() {
        insta::assert_snapshot!(rendered(&fixture::record(0), "Only the first stage was run."));
    }

    #[test]
    fn hosted_and_self_hosted() {
        let record = fixture::hosted();
        let mut content = content::of(&record, "cohere is better than BM25.");
        // The others are of the same kind for every reranker.
        const SHOWN: [&str; 6] =
            ["reranking", "truncation", "latency", "cost", "destinations", "method"];
        content.sections.retain(|section| SHOWN.contains(&section.id));
        let charts = charts::draw(&record, &fixture::rows(&record)).unwrap();
        insta::assert_snapshot!(page(&content, &charts));
    }

    #[test]
    fn markup_in_names_is_escaped() {
        let page = rendered(&fixture::hostile(), fixture::HOSTILE);
        assert!(!page.contains("<script"), "{page}");
        assert!(
            page.contains(
                "&lt;script&gt;alert('x')&lt;/script&gt; &amp; \"q\" \\| \\*b\\* \\_i\\_"
            )
        );
        assert!(page.contains("[a\\](http://example.com) # \\~\\~s\\~\\~ \\$x\\$ \\\\ \u{fffd}"));
        // A newline in a name would end its table row or start a block.
        for row in page.lines().filter(|line| line.starts_with('|')) {
            assert!(row.ends_with('|'), "{row}");
        }
    }

    #[test]
    fn only_what_needs_it_is_escaped() {
        assert_eq!(escape("0.702 [0.660, 0.741]"), "0.702 [0.660, 0.741]");
        assert_eq!(escape("bge_reranker-v2 (k1 0.9)"), "bge_reranker-v2 (k1 0.9)");
        assert_eq!(escape("- item"), "\\- item");
        assert_eq!(escape("+0.061 [+0.031, +0.091]"), "+0.061 [+0.031, +0.091]");
        assert_eq!(escape("12.4 ms"), "12.4 ms");
        assert_eq!(escape("# title"), "\\# title");
        assert_eq!(escape("12. item"), "12\\. item");
        assert_eq!(escape("[a]: http://b"), "[a\\]: http://b");
        assert_eq!(escape("_x_"), "\\_x\\_");
    }
}
