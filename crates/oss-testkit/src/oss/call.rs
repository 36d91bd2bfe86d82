//! A request that has been understood and let in.

use std::time::SystemTime;

use super::bucket::{Bucket, Wanted, named};
use super::content::Content;
use super::copy_source::Source;
use super::error::Refusal;
use super::object::Object;
use super::store::Oss;
use crate::state::State;
use crate::wire::{Answer, Request};

pub(super) struct Call<'a> {
    pub(super) oss: &'a Oss,
    pub(super) state: &'a State,
    pub(super) request: &'a Request,
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    /// The source of a copy.
    pub(super) copy_source: Option<Source>,
    /// Whether the caller is authenticated by a key.
    pub(super) signed: bool,
    pub(super) now: SystemTime,
}

impl Call<'_> {
    /// The version that the request names.
    pub(super) fn version(&self) -> Option<&str> {
        self.request.query_value("versionId")
    }

    /// The object that the request is about.
    pub(super) fn wanted<'b>(&self, bucket: &'b Bucket) -> Result<Wanted<'b>, Refusal> {
        bucket.find(self.key, self.version())
    }

    /// The same, for changing it, and the ID of its version.
    pub(super) fn wanted_mut<'b>(
        &self,
        bucket: &'b mut Bucket,
    ) -> Result<(&'b mut Object, Option<String>), Refusal> {
        bucket.find_mut(self.key, self.version())
    }

    /// Runs a function with exclusive access to the bucket of the request.
    pub(super) fn in_bucket<T>(
        &self,
        act: impl FnOnce(&mut Bucket) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        act(named(&mut self.oss.buckets(), self.bucket)?)
    }

    /// The same with the content of the body. Its checksums are computed before the lock is taken, because they take
    /// time.
    pub(super) fn store(
        &self,
        act: impl FnOnce(&Self, &mut Bucket, Content) -> Result<Answer, Refusal>,
    ) -> Result<Answer, Refusal> {
        let content = Content::of_request(self.request);
        self.in_bucket(|bucket| act(self, bucket, content))
    }
}
