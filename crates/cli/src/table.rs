use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

/// A table without lines between rows, as wide as the terminal allows. Columns from `numbers` on
/// are aligned to the right.
pub fn table(header: &[&str], numbers: impl Fn(usize) -> bool) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for (index, column) in table.column_iter_mut().enumerate() {
        if numbers(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
