//! Several lists in order as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// All that the lists hold, in the order of `key`; of what has the same key, that of the earlier
/// list first. Each list is in that order itself.
pub fn merged<L, K>(mut lists: Vec<L>, key: impl Fn(&L::Item) -> K) -> impl Iterator<Item = L::Item>
where
    L: Iterator,
    K: Ord,
{
    let mut heads: Vec<Option<L::Item>> = lists.iter_mut().map(Iterator::next).collect();
    let mut order: BinaryHeap<Reverse<(K, usize)>> = (heads.iter().enumerate())
        .filter_map(|(index, head)| Some(Reverse((key(head.as_ref()?), index))))
        .collect();
    std::iter::from_fn(move || {
        let Reverse((_, index)) = order.pop()?;
        let next = lists.get_mut(index)?.next();
        order.extend(next.as_ref().map(|next| Reverse((key(next), index))));
        std::mem::replace(heads.get_mut(index)?, next)
    })
}
