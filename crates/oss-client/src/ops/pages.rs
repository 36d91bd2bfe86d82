//! Lists that continue page by page.

use std::future::Future;

use futures_util::{TryStreamExt as _, stream};
use oss_credentials_http::PageLoop;

use crate::error::Error;

use super::Paged;

/// A request for a page of a list.
pub(super) trait Listing: Sized + Send + 'static {
    type Page: Send + 'static;

    /// Fetches the page.
    fn page(&mut self, page_loop: &mut PageLoop) -> impl Future<Output = Result<Self::Page, Error>> + Send;

    /// The request for the page after `page`; `None` after the last one.
    fn after(self, page: &Self::Page) -> Option<Self>;
}

/// All pages from this one on.
pub(super) fn pages<L: Listing>(first: L) -> Paged<L::Page> {
    let start = Some((first, PageLoop::default()));
    Paged::new(stream::try_unfold(start, |state| async move {
        let Some((mut request, mut page_loop)) = state else {
            return Ok(None);
        };
        let page = request.page(&mut page_loop).await?;
        let next = request.after(&page).map(|next| (next, page_loop));
        Ok(Some((page, next)))
    }))
}

/// The entries of all pages from this one on.
pub(super) fn entries<L: Listing, T: Send + 'static>(first: L, of: fn(L::Page) -> Vec<T>) -> Paged<T> {
    let pages = pages(first).map_ok(move |page| stream::iter(of(page).into_iter().map(Ok)));
    Paged::new(pages.try_flatten())
}
