use super::{EngineArgs, positive};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass warmup --model BAAI/bge-reranker-v2-m3 --device cuda --dtype f16
  secondpass warmup --model ./my-model --tune

A card's kernels are compiled, and the fastest of several chosen, when a size is first met: a length, or a
number of tokens up to the next power of two. Both are kept in the cache folder (SECONDPASS_CACHE), so that
whoever asks first after this does not wait. So on a card every length is scored in batches of the most
tokens, and of half as many, down to 512. Run it once a machine, model, number format and longest length, as
when an image is built. The second time of a line is what users will see.")]
pub struct WarmupArgs {
    /// A Hugging Face folder, a hub id such as BAAI/bge-reranker-v2-m3, or `embedded`
    #[arg(long, value_name = "PATH_OR_ID")]
    pub model: String,
    /// Hub revision: a branch, tag or commit
    #[arg(long)]
    pub revision: Option<String>,
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Longest first, then each half as long, down to this
    #[arg(long, value_name = "TOKENS", default_value_t = 32, value_parser = positive)]
    pub from: usize,
    /// Find the best size of a batch, too, and keep it for `eval`; takes a while, and is for processors only
    #[arg(long, conflicts_with = "batch_tokens")]
    pub tune: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}
