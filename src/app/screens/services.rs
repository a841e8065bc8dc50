//! The services screen.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Progress, Table};
use crate::analysis::services::{Edge, Figures, Peer, Report};

/// What the survey says.
pub type ServicesReport = Report;

/// The screen.
#[derive(Clone, Debug, Default)]
pub struct ServicesScreen {
    /// How far its survey is.
    pub progress: Progress,
    /// What it says; `None` until it came for the first time.
    pub report: Option<Arc<ServicesReport>>,
    /// By what its rows are ordered.
    pub sort: ServiceSort,
    /// The smallest first.
    pub ascending: bool,
    /// The services whose operations are shown.
    pub open: HashSet<Arc<str>>,
    /// The rows in the order shown.
    pub rows: Vec<ServiceRowKey>,
    /// Where the reader is in them.
    pub table: Table<ServiceRowKey>,
    /// The map is shown in place of who calls the selected one.
    pub map: bool,
    /// The first line of what stands below the rows.
    pub scroll: usize,
}

/// What a row is known by: a service, or an operation of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceRowKey {
    /// The service.
    pub service: Arc<str>,
    /// The operation; `None` for the service as a whole.
    pub operation: Option<Arc<str>>,
}

impl ServicesScreen {
    /// What a row says.
    #[must_use]
    pub fn figures(&self, row: &ServiceRowKey) -> Option<&Figures> {
        let service = self.report.as_ref()?.services.iter().find(|service| service.name == row.service)?;
        match &row.operation {
            None => Some(&service.figures),
            Some(name) => {
                service.operations.iter().find(|operation| operation.name == *name).map(|operation| &operation.figures)
            }
        }
    }

    /// Who calls a service, and whom it calls.
    #[must_use]
    pub fn edges(&self, service: &Arc<str>) -> (Vec<&Edge>, Vec<&Edge>) {
        let own = Peer::Service(Arc::clone(service));
        let edges = self.report.as_ref().map(|report| report.edges.as_slice()).unwrap_or_default();
        let of = |end: fn(&Edge) -> &Peer| edges.iter().filter(|edge| *end(edge) == own).collect();
        (of(|edge| &edge.to), of(|edge| &edge.from))
    }
}

/// By what the services are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ServiceSort {
    /// How many calls there are.
    #[default]
    Calls,
    /// The share of them that failed.
    Errors,
    /// 50th percentile.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// The name.
    Name,
}

impl ServiceSort {
    /// The next one, in a circle.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Calls => Self::Errors,
            Self::Errors => Self::P50,
            Self::P50 => Self::P95,
            Self::P95 => Self::P99,
            Self::P99 => Self::Name,
            Self::Name => Self::Calls,
        }
    }
}
