//! How likely a difference is by chance.

/// Tables whose probability is larger than that of the table at hand by less than this share count as equally likely: their
/// probabilities come from sums of logarithms.
const ROUNDING: f64 = 1e-7;

/// Samples up to whose product of sizes the exact distribution is counted out.
const EXACT: usize = 10_000;

/// Logarithms of factorials up to some number, for [`fisher`].
#[derive(Clone, Debug, Default)]
pub(super) struct Factorials(Vec<f64>);

impl Factorials {
    pub(super) fn up_to(most: u64) -> Self {
        let mut sum = 0.0;
        let mut logs = vec![0.0];
        for number in 1..=most {
            sum += float(number).ln();
            logs.push(sum);
        }
        Self(logs)
    }

    fn ln(&self, number: u64) -> f64 {
        usize::try_from(number).ok().and_then(|number| self.0.get(number)).copied().unwrap_or(f64::INFINITY)
    }

    fn choose(&self, from: u64, some: u64) -> f64 {
        self.ln(from) - self.ln(some) - self.ln(from - some)
    }

    /// As [`fisher`].
    pub(super) fn fisher(&self, (count, all): (u64, u64), (other_count, other_all): (u64, u64)) -> f64 {
        // With the sides changed over, the same is computed.
        let (one, other) = ((all, count.min(all)), (other_all, other_count.min(other_all)));
        let ((all, count), (other_all, other_count)) = (one.min(other), one.max(other));
        let with = count + other_count;
        let whole = self.choose(all + other_all, with);
        let probability = |count: u64| (self.choose(all, count) + self.choose(other_all, with - count) - whole).exp();
        let least = with.saturating_sub(other_all);
        let most = with.min(all);
        let own = probability(count) * (1.0 + ROUNDING);
        (least..=most).map(probability).filter(|probability| *probability <= own).sum::<f64>().min(1.0)
    }
}

/// Fisher's exact test of a table of two by two, two-sided: how likely, where a share is the same on both sides, a table is that
/// is no more likely than this one. `(count, all)`: how many of all have it, on either side.
#[must_use]
pub fn fisher(one: (u64, u64), other: (u64, u64)) -> f64 {
    Factorials::up_to(one.1 + other.1).fisher(one, other)
}

/// The two-sample test of Kolmogorov and Smirnov: the largest distance between the two distributions, with its sign (positive:
/// the first has the larger values), and how likely one as large is by chance. Sorts both. Exact where the samples are small,
/// by the limit distribution with Stephens' correction otherwise; where values are equal it errs towards chance.
#[must_use]
pub fn kolmogorov_smirnov(one: &mut [f64], other: &mut [f64]) -> (f64, f64) {
    if one.is_empty() || other.is_empty() {
        return (0.0, 1.0);
    }
    one.sort_unstable_by(f64::total_cmp);
    other.sort_unstable_by(f64::total_cmp);
    let sizes = (one.len(), other.len());
    // In units of 1/(n·m), so that the distance is a whole number, the same with the sides changed over.
    let (mut below, mut other_below, mut most) = (0_usize, 0_usize, 0_i128);
    let signed = |value: usize| i128::try_from(value).unwrap_or(i128::MAX);
    while below < sizes.0 && other_below < sizes.1 {
        let next = one[below].min(other[other_below]);
        below += one.iter().skip(below).take_while(|value| **value <= next).count();
        other_below += other.iter().skip(other_below).take_while(|value| **value <= next).count();
        let distance = signed(other_below) * signed(sizes.0) - signed(below) * signed(sizes.1);
        if distance.abs() > most.abs() {
            most = distance;
        }
    }
    let [count, other_count] = [sizes.0, sizes.1].map(|size| float(u64::try_from(size).unwrap_or(u64::MAX)));
    let steps = usize::try_from(most.unsigned_abs()).unwrap_or(usize::MAX);
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let distance = most as f64 / (count * other_count);
    let small = sizes.0.checked_mul(sizes.1).is_some_and(|product| product <= EXACT);
    let ordered = (sizes.0.min(sizes.1), sizes.0.max(sizes.1));
    (distance, if small { exact(ordered, steps) } else { limit(sizes, distance.abs()) })
}

/// The share of orders of `n` and `m` equal values in which the distance reaches `steps` units of 1/(n·m): paths on a lattice
/// are counted that stay below it.
fn exact((n, m): (usize, usize), steps: usize) -> f64 {
    if steps == 0 {
        return 1.0;
    }
    let inside = |i: usize, j: usize| (i * m).abs_diff(j * n) < steps;
    // Probabilities instead of counts: each step is weighed by how many of either are left.
    let mut row = vec![0.0_f64; m + 1];
    row[0] = 1.0;
    let share = |part: usize, whole: usize| {
        float(u64::try_from(part).unwrap_or(u64::MAX)) / float(u64::try_from(whole).unwrap_or(u64::MAX))
    };
    for i in 0..=n {
        for j in 0..=m {
            if i == 0 && j == 0 {
                continue;
            }
            let left = n + m - i - j + 1;
            let from_one = if i == 0 { 0.0 } else { row[j] * share(n - i + 1, left) };
            let from_other = if j == 0 { 0.0 } else { row[j - 1] * share(m - j + 1, left) };
            row[j] = if inside(i, j) { from_one + from_other } else { 0.0 };
        }
    }
    (1.0 - row[m]).clamp(0.0, 1.0)
}

fn limit((n, m): (usize, usize), distance: f64) -> f64 {
    let [n, m] = [n, m].map(|size| float(u64::try_from(size).unwrap_or(u64::MAX)));
    let root = (n * m / (n + m)).sqrt();
    let at = (root + 0.12 + 0.11 / root) * distance;
    // The series is of no use where it converges slowly, and there the answer is 1.
    if at < 0.2 {
        return 1.0;
    }
    let term = |k: i32| {
        let k = f64::from(k);
        let sign = if k % 2.0 == 0.0 { -1.0 } else { 1.0 };
        sign * (-2.0 * k * k * at * at).exp()
    };
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// Benjamini and Hochberg's correction: what is found with a corrected p below q is chance in at most a share of q.
/// Answers the corrected ones in the order given.
#[must_use]
pub fn benjamini_hochberg(tests: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..tests.len()).collect();
    order.sort_by(|one, other| tests[*one].total_cmp(&tests[*other]));
    let mut corrected = vec![1.0_f64; tests.len()];
    let all = float(u64::try_from(tests.len()).unwrap_or(u64::MAX));
    let mut least = 1.0_f64;
    for (rank, index) in order.iter().enumerate().rev() {
        least = least.min(tests[*index] * (all / float(u64::try_from(rank + 1).unwrap_or(u64::MAX))));
        corrected[*index] = least;
    }
    corrected
}

/// The ranks, from 1, of the order statistics between which the 95th percentile lies in 95 of 100 cases; the second is `None` where even
/// the greatest of `n` may be below it, all where even the least may be above.
///
/// Of `n` values so many as a binomial distribution says lie above the percentile (Conover, Practical Nonparametric Statistics, 3.2).
pub(super) fn ranks_of_p95(n: usize) -> Option<(usize, Option<usize>)> {
    const ABOVE: f64 = 0.05;
    /// On either side.
    const DOUBT: f64 = 0.025;
    let float = |number: usize| float(u64::try_from(number).unwrap_or(u64::MAX));
    let count = float(n);
    // How likely it is that as many as that lie above, by its logarithm: of very many none is likely.
    let mut likely = count * (1.0 - ABOVE).ln();
    let (mut sum, mut above, mut least) = (0.0, 0_usize, None);
    while above <= n {
        sum += likely.exp();
        if sum <= DOUBT {
            least = Some(above);
        }
        if sum >= 1.0 - DOUBT {
            break;
        }
        likely += ((count - float(above)) / (float(above) + 1.0) * ABOVE / (1.0 - ABOVE)).ln();
        above += 1;
    }
    let from = n.checked_sub(above).filter(|rank| *rank > 0)?;
    Some((from, least.map(|least| n - least)))
}

#[expect(clippy::cast_precision_loss, reason = "counts of traces are far below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}
