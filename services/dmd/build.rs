//! Generates the gRPC code from the contract in `proto/`, without a protoc binary. The library alone has no use for it.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "server")]
    contract::generate()?;
    Ok(())
}

#[cfg(feature = "server")]
mod contract {
    use std::{env, error::Error, fs, path::PathBuf};

    use prost::Message;

    pub fn generate() -> Result<(), Box<dyn Error>> {
        let contract = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
        let file = contract.join("glocal/v1/dmd.proto");
        println!("cargo:rerun-if-changed={}", file.display());

        let descriptors = protox::Compiler::new([&contract])?
            .include_source_info(true)
            .include_imports(true)
            .open_file(&file)?
            .file_descriptor_set();
        let out = PathBuf::from(env::var("OUT_DIR")?);
        fs::write(out.join("glocal.v1.binpb"), descriptors.encode_to_vec())?;
        tonic_prost_build::configure()
            .bytes(".")
            .compile_fds(descriptors)?;
        Ok(())
    }
}
