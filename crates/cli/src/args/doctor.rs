use clap::ValueEnum;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpass doctor
  secondpass doctor --need onnx
  secondpass doctor --json

Keys are told by the names of their variables; no value is read out. Exit code 1 when something that was
asked for, by --need or by a variable that is set, cannot be used.")]
pub struct DoctorArgs {
    /// Fail unless this is there; may be given many times
    #[arg(long, value_name = "WHAT")]
    pub need: Vec<Need>,
    /// Print JSON instead of lines
    #[arg(long)]
    pub json: bool,
}

/// What a machine may be asked to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Need {
    /// An NVIDIA card that this build can use
    Cuda,
    /// An ONNX Runtime library
    Onnx,
}
