/// Why a cache of vectors on disk could not be used.
#[derive(Debug, thiserror::Error)]
pub enum VectorCacheError {}
