//! Percentiles by the nearest rank: one rule for every screen and every command.

/// Where among `count` values in order that one stands which `percent` of them do not exceed, from 0; `None` of no values.
#[must_use]
pub fn nearest_rank(count: usize, percent: usize) -> Option<usize> {
    (count * percent).div_ceil(100).checked_sub(1)
}

/// That value of values in order; `None` of none.
#[must_use]
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    sorted.get(nearest_rank(sorted.len(), percent)?).copied()
}

/// That value of values in any order, which are left in another; `None` of none.
#[must_use]
pub fn percentile_of_unsorted<T: Copy + Ord>(values: &mut [T], percent: usize) -> Option<T> {
    let rank = nearest_rank(values.len(), percent).filter(|rank| *rank < values.len())?;
    Some(*values.select_nth_unstable(rank).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_there_are() {
        let mut values: Vec<u32> = (1..=20).rev().collect();
        for (percent, expected) in [(1, 1), (5, 1), (6, 2), (50, 10), (95, 19), (96, 20), (100, 20)] {
            assert_eq!(percentile_of_unsorted(&mut values, percent), Some(expected), "{percent}");
            let sorted: Vec<u32> = (1..=20).collect();
            assert_eq!(percentile(&sorted, percent), Some(expected), "{percent}");
        }
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!((percentile::<u32>(&[], 95), percentile_of_unsorted::<u32>(&mut [], 95)), (None, None));
    }
}
