use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use secondpass_evaluation::prices::PriceTable;

use crate::exit::usage;

/// The program's own prices, over them the user's (`prices.toml` in the user's config folder), the
/// experiment's, and those of a flag.
pub fn table(experiment: Option<&Path>, flag: Option<&Path>) -> Result<PriceTable> {
    let mut table = PriceTable::own()?;
    let user = user_file().filter(|path| path.exists());
    for path in [user.as_deref(), experiment, flag].into_iter().flatten() {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the prices in {}", path.display()))
            .map_err(usage)?;
        table = table.over(PriceTable::parse(&text, &path.display().to_string()).map_err(usage)?);
    }
    Ok(table)
}

/// Where a user keeps prices for all experiments.
pub fn user_file() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
    let folder = config.map(PathBuf::from).or_else(home)?;
    Some(folder.join("secondpass").join("prices.toml"))
}
