//! Where a table of separated values (RFC 4180) goes wrong: its parser names no lines.

/// A cell whose quote does not close, and which swallows all that follows.
pub(super) fn open_quote(bytes: &[u8], separator: u8) -> Option<String> {
    let mut open = None;
    cells(bytes, separator, &mut |cell| {
        open = (!cell.is_closed).then_some(cell.line);
        true
    });
    open.map(|line| format!("line {line}: a quote opens here and does not close"))
}

/// The first row with more cells than the header has.
pub(super) fn ragged(bytes: &[u8], separator: u8) -> Option<String> {
    let (mut header, mut found, mut first) = (None, 0, 1);
    let mut ragged = None;
    cells(bytes, separator, &mut |cell| {
        if found == 0 {
            first = cell.line;
        }
        found += 1;
        if cell.is_last {
            match header {
                None => header = Some(found),
                Some(header) if found > header => {
                    ragged =
                        Some(format!("line {first}: {found} cells, and the header has {header}"));
                }
                Some(_) => {}
            }
            found = 0;
        }
        ragged.is_none()
    });
    ragged
}

struct Cell {
    /// Where it begins, from 1.
    line: usize,
    /// Whether its row ends with it.
    is_last: bool,
    is_closed: bool,
}

/// Hands over cells until `take` says that it has enough. A quote in the middle of a cell is a sign
/// like any other.
fn cells(bytes: &[u8], separator: u8, take: &mut dyn FnMut(Cell) -> bool) {
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let begun = line;
        let mut is_closed = true;
        if bytes[at] == b'"' {
            (at, is_closed) = (at + 1, false);
            while let Some(&byte) = bytes.get(at) {
                at += 1;
                line += usize::from(byte == b'\n');
                if byte == b'"' {
                    match bytes.get(at) {
                        Some(b'"') => at += 1,
                        _ => {
                            is_closed = true;
                            break;
                        }
                    }
                }
            }
        }
        while bytes.get(at).is_some_and(|&byte| byte != separator && byte != b'\n') {
            at += 1;
        }
        let is_last = bytes.get(at) != Some(&separator);
        line += usize::from(bytes.get(at) == Some(&b'\n'));
        at += 1;
        if !take(Cell { line: begun, is_last, is_closed }) {
            return;
        }
    }
}
