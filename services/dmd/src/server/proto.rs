//! Messages and services generated from `proto/glocal/v1/dmd.proto`.
#![allow(missing_docs, clippy::all, reason = "generated code")]

tonic::include_proto!("glocal.v1");

/// The contract as an encoded `FileDescriptorSet`, with all that it imports.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/glocal.v1.binpb"));
