/// Bytes of memory as people read them: `1.25 GiB`.
pub fn gibibytes(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}
