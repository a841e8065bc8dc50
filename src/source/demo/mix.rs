//! Which stories there are, and how often each is told.

use super::story::{Story, Teller};
use super::{events, hospital, recipes, tasks};
use crate::model::{Nanos, Timestamp};
use crate::source::random::Random;

/// The seed of [`gallery`].
const GALLERY_SEED: u64 = 1;

type Tale = fn(Teller<'_>) -> Story;

/// Every story and its weight: most traffic is healthy, as it is in life.
const TALES: &[(Tale, u64)] = &[
    (hospital::slow_patient, 5),
    (recipes::load, 6),
    (hospital::patient, 28),
    (events::order_failing, 3),
    (hospital::patients, 4),
    (hospital::missing_patient, 3),
    (tasks::create, 9),
    (tasks::list, 15),
    (hospital::billing_closed, 2),
    (recipes::search, 3),
    (hospital::new_patient, 5),
    (hospital::insurance_down, 2),
    (events::user, 5),
    (tasks::one, 14),
    (events::order, 6),
];

/// Each story once, at its exact pace, a second after one another from `start` on; always the same for the same
/// `start`, ids included. For screens, their tests and pictures.
#[must_use]
pub fn gallery(start: Timestamp) -> Vec<Story> {
    let mut random = Random::new(GALLERY_SEED);
    let mut at = start;
    let mut stories = Vec::new();
    for (tale, _) in TALES {
        stories.push(tale(Teller::new(&mut random, at, 1000)));
        at = at.plus(Nanos::from_secs(1));
    }
    stories
}

/// The story numbered `number`. The first ones are the gallery's, so that a demo shows everything soon; then chance
/// decides, and times vary by a tenth.
pub(super) fn story(random: &mut Random, number: usize, start: Timestamp) -> Story {
    if let Some((tale, _)) = TALES.get(number) {
        return tale(Teller::new(random, start, 1000));
    }
    let total = TALES.iter().map(|(_, weight)| weight).sum::<u64>();
    let mut left = random.between(0, total - 1);
    let mut tale = TALES[0].0;
    for (candidate, weight) in TALES {
        tale = *candidate;
        if left < *weight {
            break;
        }
        left -= weight;
    }
    let pace = random.between(900, 1100);
    tale(Teller::new(random, start, pace))
}
