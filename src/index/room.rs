//! Room for what stays.

/// Moves a list into room of its own size. `shrink_to_fit` would leave it at the start of the room that it was built in,
/// and the rest of that as a hole between what stays: at full load that was a quarter of the memory.
pub(super) fn fit<T>(list: &mut Vec<T>) {
    if list.capacity() > list.len() {
        let mut exact = Vec::with_capacity(list.len());
        exact.append(list);
        *list = exact;
    }
}
