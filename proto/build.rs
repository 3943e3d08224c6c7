//! Schema in, Rust out, with a compiler written in Rust: nobody installs protoc.
//! The descriptor set is kept: for reflection, and to name a field that nobody knows.

use std::{env, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 15] = [
    "accord/exchange/v1/exchange.proto",
    "accord/desk/v1/desk.proto",
    "accord/desk/v1/inbox.proto",
    "accord/desk/v1/summary.proto",
    "accord/desk/v1/receipt.proto",
    "accord/desk/v1/pictures.proto",
    "accord/region/v1/region.proto",
    "accord/region/v1/rankings.proto",
    "accord/journal/v1/journal.proto",
    "accord/maintenance/v1/maintenance.proto",
    "accord/proof/v1/proof.proto",
    "accord/threat/v1/threat.proto",
    "accord/product/v1/service.proto",
    "accord/product/v1/circulation.proto",
    "accord/cycle/v1/cycle.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=schema");
    let mut compiler = protox::Compiler::new(["schema"])?;
    compiler.include_imports(true).include_source_info(true).open_files(
        FILES.into_iter().chain(["accord/exchange/v1/question.proto"]).collect::<Vec<_>>(),
    )?;
    let descriptors = compiler.file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .client_mod_attribute(".", "#[cfg(feature = \"transport\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"transport\")]")
        .codec_path("crate::transport::codec::StrictCodec")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
