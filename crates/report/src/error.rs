use std::io;
use std::path::PathBuf;

/// Why a report could not be rendered or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A decision without what it rests on.
    #[error("there is no record to render the decision from; give those that it was reached from")]
    NoEvidence,
    /// The font that the program carries was refused.
    #[error("the built-in chart font could not be read; this is a defect of the build, rebuild it")]
    Font,
    /// A chart could not be drawn.
    #[error("the chart `{chart}` could not be drawn")]
    Draw {
        /// The chart's file name without its ending.
        chart: &'static str,
        /// What the drawing library said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A folder could not be made.
    #[error(
        "the report folder {} could not be made; choose a folder that can be written", .path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written; whatever stood under its name before is untouched.
    #[error(
        "{} could not be written; check the free space and the folder's permissions", .path.display()
    )]
    Write {
        /// The file under its final name.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A picture could not be encoded or written; what stood under its name before is untouched.
    #[error(
        "the picture {} could not be written; check the free space and the folder's permissions",
        .path.display()
    )]
    Picture {
        /// The file under its final name.
        path: PathBuf,
        /// What the encoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
