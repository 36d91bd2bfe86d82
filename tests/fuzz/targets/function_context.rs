//! The context that Function Compute hands to a function.
#![no_main]

use fuzz::check;
use libfuzzer_sys::fuzz_target;
use oss_credentials_fc_context::FcContext;

fuzz_target!(|data: &[u8]| {
    if let Err(error) = FcContext::from_json(data) {
        check(Err(&error));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let headers = text.lines().filter_map(|line| line.split_once(':'));
        if let Err(error) = FcContext::from_headers(headers) {
            check(Err(&error));
        }
    }
});
