//! Room for what stays.

use bytes::Bytes;

/// Moves a list into room of its own size. `shrink_to_fit` would leave it at the start of the room that it was built in,
/// and the rest of that as a hole between what stays: at full load that was a quarter of the memory.
pub(super) fn fit<T>(list: &mut Vec<T>) {
    if list.capacity() > list.len() {
        let mut exact = Vec::with_capacity(list.len());
        exact.append(list);
        *list = exact;
    }
}

/// Moves byte strings to where they stay, one after the other: many small ones would stand between what comes and goes.
pub(super) fn settle<'b>(strings: impl Iterator<Item = &'b mut Bytes>) {
    let strings: Vec<_> = strings.collect();
    let all = strings.iter().map(|string| &string[..]).collect::<Vec<_>>().concat();
    let whole = Bytes::from(all);
    let mut at = 0;
    for string in strings {
        let end = at + string.len();
        *string = whole.slice(at..end);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_the_same_where_they_stay() {
        for size in [0, 3, 70_000] {
            let before: Vec<Bytes> = (0..4).map(|byte| Bytes::from(vec![byte; size * usize::from(byte)])).collect();
            let mut strings = before.clone();
            settle(strings.iter_mut());
            assert_eq!(strings, before);
        }
    }
}
