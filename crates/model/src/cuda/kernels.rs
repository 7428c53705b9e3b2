use std::path::Path;

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

/// Where compiled kernels and what was found fastest are to be kept. To be called before the first
/// card is opened: what is set then stays. Variables of cubecl's own (`CUBECL_...`) are heeded as ever.
pub fn keep_kernels_in(folder: &Path) {
    let mut config = CubeClRuntimeConfig::default().override_from_env();
    config.compilation.cache = true;
    config.environment.path = CacheConfig::Directory(folder.to_owned());
    // False where a card was opened before; its kernels then lie where they did.
    CubeClRuntimeConfig::try_set(config);
}
