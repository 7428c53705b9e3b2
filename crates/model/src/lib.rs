//! The engine: burn networks behind plain data. The only crate that names burn.
//!
//! [`Model::load`] reads a Hugging Face folder's `config.json` and safetensors onto a
//! [`DeviceSpec`]; the model then is a [`secondpass_text::Scorer`], and through [`Trainee`] a
//! [`secondpass_text::Learner`]. An [`Engine`] only scores: on the CPU through our own kernels
//! ([`Packed`]), elsewhere through burn ([`Ragged`]). An [`Encoder`] is a [`secondpass_text::Embedder`].

mod architecture;
mod config;
mod cuda;
mod device;
mod dtype;
mod embedded;
mod encoder;
mod engine;
mod failure;
mod layers;
mod memory;
mod model;
mod packed;
mod padded;
mod parallel;
mod ragged;
mod room;
mod train;
mod weights;

pub use config::{ConfigError, ModelConfig, ModelType};
pub use cuda::{Card, CudaVersion, Need, cuda_card, keep_kernels_in};
pub use device::{DeviceError, DeviceSpec};
pub use dtype::{Dtype, UnknownDtype};
pub use embedded::{HELPDESK_MINI, ModelBytes};
pub use encoder::{Encoder, Pooling, UnknownPooling};
pub use engine::Engine;
pub use model::{Head, LoadError, Model};
pub use packed::{PackError, Packed};
pub use ragged::Ragged;
pub use train::Trainee;
pub use weights::{Initialization, WeightsError};
