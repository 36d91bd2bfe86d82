//! A list that stays on the stack while it is short.

use std::cmp::Ordering;

/// Headers and parameters up to these numbers need no heap.
pub(crate) const FEW: usize = 8;

/// Holds up to `N` items without allocating, and more on the heap.
pub(crate) struct List<T, const N: usize> {
    inline: [T; N],
    len: usize,
    spilled: Vec<T>,
}

impl<T: Copy, const N: usize> List<T, N> {
    /// An empty list; `filler` takes the unused places and is never seen.
    pub(crate) fn new(filler: T) -> Self {
        Self {
            inline: [filler; N],
            len: 0,
            spilled: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.spilled.is_empty() {
            if let Some(place) = self.inline.get_mut(self.len) {
                *place = item;
                self.len += 1;
                return;
            }
            self.spill(1);
        }
        self.spilled.push(item);
    }

    /// Adds all items of a slice.
    pub(crate) fn extend(&mut self, items: &[T]) {
        if self.spilled.is_empty() {
            if let Some(places) = self.inline.get_mut(self.len..self.len + items.len()) {
                places.copy_from_slice(items);
                self.len += items.len();
                return;
            }
            self.spill(items.len());
        }
        self.spilled.extend_from_slice(items);
    }

    #[cold]
    fn spill(&mut self, more: usize) {
        self.spilled.reserve(2 * N + more);
        self.spilled
            .extend_from_slice(self.inline.get(..self.len).unwrap_or_default());
    }

    /// What is on the heap: all items, or none.
    pub(crate) fn spilled_mut(&mut self) -> &mut Vec<T> {
        &mut self.spilled
    }

    pub(crate) fn items(&self) -> &[T] {
        if self.spilled.is_empty() {
            self.inline.get(..self.len).unwrap_or_default()
        } else {
            &self.spilled
        }
    }

    pub(crate) fn items_mut(&mut self) -> &mut [T] {
        if self.spilled.is_empty() {
            self.inline.get_mut(..self.len).unwrap_or_default()
        } else {
            &mut self.spilled
        }
    }
}

/// Sorts in place and keeps the order of equals; without the heap while the list is short.
pub(crate) fn sort<T: Copy>(items: &mut [T], cmp: impl Fn(&T, &T) -> Ordering) {
    if items.len() > FEW {
        return items.sort_by(cmp);
    }
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && cmp(&items[at - 1], &items[at]).is_gt() {
            items.swap(at - 1, at);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_order_beyond_the_inline_places() {
        let mut list = List::<u8, 3>::new(0);
        for item in 1..=8 {
            list.push(item);
            assert_eq!(list.items(), (1..=item).collect::<Vec<_>>());
            assert_eq!(list.items_mut().len(), usize::from(item));
        }
    }

    #[test]
    fn slices_are_taken_whole_wherever_they_end() {
        let items: Vec<u8> = (0..20).collect();
        for size in 1..=20 {
            let mut list = List::<u8, 7>::new(0);
            items.chunks(size).for_each(|chunk| list.extend(chunk));
            assert_eq!(list.items(), items, "slices of {size}");
            list.extend(&[]);
            assert_eq!(list.items().len(), 20);
        }
        let mut list = List::<u8, 7>::new(0);
        list.extend(&[]);
        list.extend(&items);
        assert_eq!(list.items(), items);
    }
}
