//! The one place where the wall clock is read.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::Timestamp;
use crate::source::Clock;

/// The time.
#[expect(clippy::disallowed_methods, reason = "this is the place the lint points to")]
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The clock as something to hand to sources.
pub(super) fn clock() -> Clock {
    Arc::new(now)
}
