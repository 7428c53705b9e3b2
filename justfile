# Conveniences; neither the README's commands nor CI need just.

# List the recipes
default:
    @just --list

# Run the demonstration
quickstart *ARGS:
    cargo run --release -- quickstart {{ARGS}}

# Run all tests
test:
    cargo test --release --workspace

# Format, then lint as CI does
lint:
    cargo fmt --all
    cargo clippy --release --workspace --all-targets -- -D warnings

# Everything CI runs
ci:
    bash .ci/run

# Build the embedded help-desk set again from its sources
helpdesk:
    python3 datasets/helpdesk/make/build.py

# Train the embedded model again, into models/; crates/model/assets/helpdesk-mini holds the one compiled in
train-helpdesk:
    cargo run --release -- finetune --config configs/finetune/helpdesk-mini.toml

# Criterion benches
bench *ARGS:
    cargo bench --manifest-path benches/Cargo.toml {{ARGS}}

# Run an experiment again, into reports/NAME
report CONFIG *ARGS:
    cargo run --release -- eval --config {{CONFIG}} {{ARGS}}

# Time measuring one million rows beside pytrec_eval: benches/peers/measures/README.md
peers *ARGS:
    bash benches/peers/measures/run.sh {{ARGS}}

# Build the measuring kit for a borrowed card, benches/gpu/kit.tar.xz: benches/gpu/README.md
gpu-kit *ARGS:
    bash benches/gpu/build.sh {{ARGS}}

# Rehearse the kit without a card; PYTHON has torch, transformers and sentence-transformers
gpu-rehearse *ARGS:
    cargo build --release --example kit
    ${PYTHON:-python3} benches/gpu/rehearse.py --kit "${CARGO_TARGET_DIR:-target}/release/examples/kit" {{ARGS}}

# Rehearse CUDA itself without a card: --cuda names a toolkit; benches/gpu/README.md
gpu-pretend *ARGS:
    CUDARC_CUDA_VERSION=13000 cargo build --release --example kit --features cuda
    python3 benches/gpu/pretend/rehearse.py --kit "${CARGO_TARGET_DIR:-target}/release/examples/kit" {{ARGS}}

# Make every committed report again; data is expected in ../shared
reports:
    bash reports/make.sh
