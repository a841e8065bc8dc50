//! What was worked out of rows and is wanted for others too: labels, and what made spans.
//!
//! A trace has few different ones, and the next trace has the same: whoever reads many traces keeps them.

use std::sync::Arc;

use hashbrown::HashMap;

use super::labels::Labels;
use super::segment::RowRef;
use crate::model::{Resource, Scope};

/// What made a span.
pub(super) type Made = (Arc<Resource>, Arc<Scope>);

/// Pairs of resource and scope that are kept.
const MOST_MADE: usize = 4096;

/// Of the segments of one view, which are told apart by their places.
#[derive(Debug, Default)]
pub(super) struct Known {
    labels: HashMap<usize, Labels>,
    made: HashMap<(usize, u32, u32), Made>,
}

impl Known {
    /// The labels of a segment.
    pub(super) fn labels(&mut self, segment: usize) -> &mut Labels {
        self.labels.entry(segment).or_default()
    }

    /// What made a row's span; the same for all of which it is the same.
    pub(super) fn made(&mut self, segment: usize, row: RowRef<'_>) -> Made {
        let origin = row.origin();
        if self.made.len() >= MOST_MADE {
            self.made.clear();
        }
        let made = self.made.entry((segment, origin.resource, origin.scope));
        made.or_insert_with(|| (Arc::new(row.to_resource()), Arc::new(row.to_scope()))).clone()
    }
}
