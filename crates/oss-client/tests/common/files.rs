//! Contents of objects and files.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::fs;
use std::path::Path;

use bytes::Bytes;

pub const KIB: u64 = 1024;
/// The smallest part that the service takes.
pub const PART: u64 = 100 * KIB;

/// Bytes of which no two parts are alike.
pub fn content(length: u64) -> Bytes {
    (0..length)
        .map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xff).unwrap())
        .collect()
}

/// The names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
