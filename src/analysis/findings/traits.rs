//! What the rules ask of every span, found out once and kept close together: a trace may have a hundred thousand of them.

use hashbrown::HashMap;

use super::words;
use crate::analysis::tree::{Analysis, Node, Subject};
use crate::model::{Category, Kind, Oddities, TraceSpan};

/// What is known of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits(u16);

impl Traits {
    const SPAN: u16 = 1;
    const FAILED: u16 = 1 << 1;
    const CALL: u16 = 1 << 2;
    const DATABASE: u16 = 1 << 3;
    const CHATTER: u16 = 1 << 4;
    const LOOPABLE: u16 = 1 << 5;
    const READ: u16 = 1 << 6;
    const UNCONDITIONAL: u16 = 1 << 7;
    const ENTERED: u16 = 1 << 8;
    const CONSUMER: u16 = 1 << 9;
    const PRODUCER: u16 = 1 << 10;
    const ODD: u16 = 1 << 11;

    fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    /// The same for what is a part of another call: it is none by itself, and neither reads nor writes once more.
    pub(super) fn of_a_part(self) -> Self {
        Self((self.0 | Self::CHATTER) & !(Self::CALL | Self::LOOPABLE))
    }

    /// It is a span, not a missing parent.
    pub(super) fn is_span(self) -> bool {
        self.has(Self::SPAN)
    }

    /// It failed.
    pub(super) fn failed(self) -> bool {
        self.has(Self::FAILED)
    }

    /// It calls something else, and not about the connection.
    pub(super) fn is_wanted_call(self) -> bool {
        self.has(Self::CALL) && !self.has(Self::CHATTER)
    }

    /// It calls something else: a database, another service.
    pub(super) fn is_call(self) -> bool {
        self.has(Self::CALL)
    }

    /// It is a call to a database, or a part of one.
    pub(super) fn is_database(self) -> bool {
        self.has(Self::DATABASE)
    }

    /// It reads from a database.
    pub(super) fn is_database_read(self) -> bool {
        self.has(Self::DATABASE | Self::READ) && !self.has(Self::CHATTER)
    }

    /// It may change what is in a database.
    pub(super) fn is_database_write(self) -> bool {
        self.has(Self::DATABASE) && self.0 & (Self::READ | Self::CHATTER) == 0
    }

    /// It only reads, as far as can be told.
    pub(super) fn is_read(self) -> bool {
        self.has(Self::READ)
    }

    /// It is a statement that reads under no condition.
    pub(super) fn is_unconditional(self) -> bool {
        self.has(Self::UNCONDITIONAL)
    }

    /// A loop over it is worth a word.
    pub(super) fn is_loopable(self) -> bool {
        self.has(Self::LOOPABLE)
    }

    /// Its service was entered by it.
    pub(super) fn is_entered(self) -> bool {
        self.has(Self::ENTERED)
    }

    /// It works on a message.
    pub(super) fn is_consumer(self) -> bool {
        self.has(Self::CONSUMER)
    }

    /// It sends a message.
    pub(super) fn is_producer(self) -> bool {
        self.has(Self::PRODUCER)
    }

    /// Something about it cannot be so, or it is not here.
    pub(super) fn is_odd(self) -> bool {
        self.has(Self::ODD)
    }
}

/// The traits of every node. Spans of one signature say the same but for their values, so words are read once for each.
pub(super) fn traits(analysis: &Analysis, signatures: &[u64]) -> Vec<Traits> {
    let mut known: HashMap<u64, u16> = HashMap::new();
    let of = |(node, signature): (&Node, &u64)| {
        let Subject::Span(span) = node.subject else { return Traits(Traits::ODD) };
        let span = &analysis.trace.spans[span as usize];
        let says = match span.category {
            Category::Messaging | Category::Other => 0,
            _ => *known.entry(*signature).or_insert_with(|| said(span)),
        };
        Traits(says | own(node, span))
    };
    analysis.nodes.iter().zip(signatures).map(of).collect()
}

/// What a span's words say.
fn said(span: &TraceSpan) -> u16 {
    let bits = [
        (words::is_chatter(span), Traits::CHATTER),
        (words::is_loopable(span), Traits::LOOPABLE),
        (words::is_read(span), Traits::READ),
        (words::is_unconditional(span), Traits::UNCONDITIONAL),
    ];
    sum(bits)
}

/// What it says beside its words.
fn own(node: &Node, span: &TraceSpan) -> u16 {
    let kind = span.key.kind;
    let bits = [
        (true, Traits::SPAN),
        (node.failed, Traits::FAILED),
        (is_call(span), Traits::CALL),
        (span.category.is_database(), Traits::DATABASE),
        (matches!(kind, Kind::SERVER | Kind::CONSUMER), Traits::ENTERED),
        (kind == Kind::CONSUMER, Traits::CONSUMER),
        (kind == Kind::PRODUCER, Traits::PRODUCER),
        (node.cycle || is_odd(span.oddities), Traits::ODD),
    ];
    sum(bits)
}

fn is_odd(oddities: Oddities) -> bool {
    oddities.no_time || oddities.ends_before_start || oddities.bad_parent_id || oddities.dropped
}

fn sum<const N: usize>(bits: [(bool, u16); N]) -> u16 {
    bits.iter().filter(|(holds, _)| *holds).fold(0, |sum, (_, bit)| sum | bit)
}

/// Whether a span is a call to something else: a database, another service.
fn is_call(span: &TraceSpan) -> bool {
    match span.category {
        Category::Sql | Category::Database => !matches!(span.key.kind, Kind::SERVER | Kind::CONSUMER),
        Category::Http | Category::Rpc => span.key.kind == Kind::CLIENT,
        Category::Messaging | Category::Other => false,
    }
}
