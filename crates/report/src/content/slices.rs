use secondpass_evaluation::{Difference, Record, Slice, SystemRecord};

use super::{Block, Cell, Section, Table, difference, estimate, failed, heads, number};
use crate::{format, marks};

/// The primary measure by attribute of the queries; `None` where queries have none.
pub(super) fn section(record: &Record) -> Option<Section> {
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for slice in record.systems.iter().flat_map(|system| &system.slices) {
        if !keys.contains(&key(slice)) {
            keys.push(key(slice));
        }
    }
    if keys.is_empty() {
        return None;
    }
    let rows = keys.iter().flat_map(|wanted| {
        let of_key = move |system| slice_of(system, *wanted).map(|slice| row(system, slice));
        record.systems.iter().filter_map(of_key)
    });
    let mut head =
        heads(["Slice", "System", "Queries", "", "Against the first stage", "Helped", "Hurt"]);
    head[3].clone_from(&record.primary);
    Some(Section {
        id: "slices",
        title: "Slices",
        blocks: vec![
            Block::Text(format!(
                "{} over the queries that share an attribute. Exploratory: nothing here is corrected \
                 for the number of slices, few queries make wide intervals, and of many slices some \
                 stand out by chance.",
                record.primary
            )),
            Block::Table(Table { head, rows: rows.collect(), labels: 2 }),
        ],
    })
}

fn key(slice: &Slice) -> (&str, &str) {
    (&slice.attribute, &slice.value)
}

fn slice_of<'a>(system: &'a SystemRecord, wanted: (&str, &str)) -> Option<&'a Slice> {
    system.slices.iter().find(|slice| key(slice) == wanted)
}

fn row(system: &SystemRecord, slice: &Slice) -> Vec<Cell> {
    let versus = slice.versus_first_stage.as_ref();
    let queries = |part: fn(&Difference) -> usize| match versus {
        Some(_) if failed(system) => Cell::from("failed"),
        Some(difference) => number(part(difference)),
        None => format::NONE.into(),
    };
    vec![
        format!("{}: {}", slice.attribute, slice.value).into(),
        marks::name(system).into(),
        number(slice.estimate.queries),
        estimate(&slice.estimate),
        match versus {
            Some(_) if failed(system) => "failed".into(),
            versus => versus.map_or(format::NONE.into(), difference),
        },
        queries(|difference| difference.helped),
        queries(|difference| difference.hurt),
    ]
}
