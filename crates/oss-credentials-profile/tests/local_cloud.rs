//! Every kind of profile over real files, sockets and programs, against a local cloud that checks what it is sent.
#![cfg(all(
    feature = "ecs-ram-role",
    feature = "oauth",
    feature = "oidc-rrsa",
    feature = "process",
    feature = "sso",
    feature = "sts-assume-role",
    feature = "uri",
    unix
))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "local_cloud/at_once.rs"]
mod at_once;
#[path = "local_cloud/bench.rs"]
mod bench;
#[path = "local_cloud/faults.rs"]
mod faults;
#[path = "local_cloud/full_disk.rs"]
mod full_disk;
#[path = "local_cloud/killed.rs"]
mod killed;
#[path = "local_cloud/modes.rs"]
mod modes;
#[path = "local_cloud/renewal.rs"]
mod renewal;
