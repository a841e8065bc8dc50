//! Names by number, so that what is kept of a call is small.

use std::sync::Arc;

use hashbrown::HashMap;

/// One end of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// A service that sends spans.
    Service(Arc<str>),
    /// A database, as `postgresql hmis`.
    Database(Arc<str>),
    /// A queue or topic.
    Messaging(Arc<str>),
    /// Something that was called and sent no span, by the name that its caller gives it.
    Silent(Arc<str>),
}

impl Peer {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Service(name) | Self::Database(name) | Self::Messaging(name) | Self::Silent(name) => name,
        }
    }

    /// What it is, in a word or two; empty for a service.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Self::Service(_) => "",
            Self::Database(_) => "database",
            Self::Messaging(_) => "queue",
            Self::Silent(_) => "uninstrumented",
        }
    }
}

/// Names that are remembered. What has a name of its own beyond it is put together under [`OTHERS`].
const MOST: usize = 1 << 16;

/// Stands for names beyond those that are remembered.
const OTHERS: &str = "(others)";

/// Operations and edges by number. At most 65,536 of each, so that names made of ids cannot fill the memory.
#[derive(Clone, Debug, Default)]
pub struct Names {
    operations: Numbers<(Arc<str>, Arc<str>)>,
    edges: Numbers<(Peer, Peer)>,
}

#[derive(Clone, Debug)]
struct Numbers<T> {
    list: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { list: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Numbers<T> {
    fn number(&mut self, of: T, otherwise: impl FnOnce(&T) -> T) -> u32 {
        if let Some(number) = self.numbers.get(&of) {
            return *number;
        }
        let of = if self.list.len() < MOST { of } else { otherwise(&of) };
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(of.clone()).or_insert_with(|| {
            self.list.push(of);
            next
        })
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.list.get(number as usize)
    }
}

impl Names {
    /// The number of an operation of a service.
    pub fn operation(&mut self, service: &Arc<str>, operation: &Arc<str>) -> u32 {
        let others = |_: &(Arc<str>, Arc<str>)| (OTHERS.into(), OTHERS.into());
        self.operations.number((Arc::clone(service), Arc::clone(operation)), others)
    }

    /// The number of an edge.
    pub fn edge(&mut self, from: Peer, to: Peer) -> u32 {
        let others = |_: &(Peer, Peer)| (Peer::Silent(OTHERS.into()), Peer::Silent(OTHERS.into()));
        self.edges.number((from, to), others)
    }

    /// Service and operation of a number.
    #[must_use]
    pub fn operation_of(&self, number: u32) -> Option<&(Arc<str>, Arc<str>)> {
        self.operations.get(number)
    }

    /// The ends of an edge.
    #[must_use]
    pub fn edge_of(&self, number: u32) -> Option<&(Peer, Peer)> {
        self.edges.get(number)
    }
}
