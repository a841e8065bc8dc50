//! Has chunks sealed, on a thread beside the writer's, and puts the blocks in their place.
//!
//! Chunks stay as they are while they are sealed: readers and the writer go on with them. Rows that die meanwhile are
//! found when the block comes back. No more than a few blocks are on their way at a time; the writer waits for the
//! thread before it would give it more.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::chunk::Chunk;
use super::paged::Paged;
use super::sealed::{NOWHERE, Sealed, seal};
use super::segment::{Form, Piece, Segment, Shape, is_set, set};
use super::store::Store;
use super::traces::{WARM_PAGES, full};
use super::{Summary, Writer};
use crate::model::SpanId;

/// Rows of a block.
const BLOCK_ROWS: usize = 64 << 10;

/// Bytes of chunks after which a block has enough rows.
const BLOCK_BYTES: usize = 32 << 20;

/// Rows that stay as they came while their segment takes rows: late spans, retries and open traces are mostly here.
const HOT_ROWS: u64 = 24 << 10;

/// Blocks on their way.
const BACKLOG: usize = 3;

/// How chunks are sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sealing {
    /// On a thread of its own.
    #[default]
    Background,
    /// At once, in blocks of at least so many rows: every run is the same.
    Inline(usize),
    /// Not at all.
    Never,
}

impl Sealing {
    /// How many of the newest pages of the trace table stay as they are.
    pub(super) fn warm_pages(self) -> usize {
        match self {
            Self::Background => WARM_PAGES,
            Self::Inline(_) => 1,
            Self::Never => usize::MAX,
        }
    }
}

/// Chunks to be sealed.
#[derive(Debug)]
struct Job {
    base: u64,
    parts: Vec<(Arc<Chunk>, Arc<Vec<u64>>)>,
    shapes: Paged<Shape>,
}

/// A sealed block, and what the writer needs to put it in its place.
#[derive(Debug)]
struct Done {
    job: Job,
    sealed: Sealed,
    /// By ordinal, from the base on: the row it became.
    places: Vec<u32>,
}

impl Job {
    fn run(self) -> Done {
        let parts: Vec<_> = self.parts.iter().map(|(chunk, dead)| (&**chunk, &dead[..])).collect();
        let (sealed, places) = seal(self.base, &parts, &self.shapes);
        drop(parts);
        Done { job: self, sealed, places }
    }

    fn end(&self) -> u64 {
        self.parts.last().map_or(self.base, |(chunk, _)| chunk.base + chunk.rows() as u64)
    }
}

/// The thread.
#[derive(Debug)]
struct Helper {
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
    /// Given and not come back.
    under_way: usize,
}

impl Helper {
    fn start() -> Option<Self> {
        let (jobs, to_do) = sync_channel::<Job>(BACKLOG);
        let (give, done) = sync_channel(BACKLOG);
        let work = move || {
            while let Ok(job) = to_do.recv() {
                if give.send(job.run()).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("sealer".to_owned()).spawn(work).ok()?;
        Some(Self { jobs: Some(jobs), done, thread: Some(thread), under_way: 0 })
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // What is on its way back must not keep the thread from seeing that.
        while self.done.recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Decides what is sealed when.
#[derive(Debug)]
pub(super) struct Sealer {
    /// Rows of a block, at least; `None` where nothing is sealed.
    rows: Option<usize>,
    /// Rows that stay as they came.
    hot: u64,
    helper: Option<Helper>,
}

impl Sealer {
    pub(super) fn new(sealing: Sealing) -> Self {
        match sealing {
            Sealing::Background => Self { rows: Some(BLOCK_ROWS), hot: HOT_ROWS, helper: Helper::start() },
            Sealing::Inline(rows) => Self { rows: Some(rows.max(1)), hot: 0, helper: None },
            Sealing::Never => Self { rows: None, hot: 0, helper: None },
        }
    }

    /// Blocks that came back; waits for one where `wait` says so.
    fn collect(&mut self, wait: bool) -> Vec<Done> {
        let Some(helper) = &mut self.helper else { return Vec::new() };
        let mut all = Vec::new();
        if wait && helper.under_way > 0 {
            match helper.done.recv() {
                Ok(done) => all.push(done),
                Err(_) => helper.under_way = 0,
            }
        }
        all.extend(helper.done.try_iter());
        helper.under_way = helper.under_way.saturating_sub(all.len());
        all
    }

    fn under_way(&self) -> usize {
        self.helper.as_ref().map_or(0, |helper| helper.under_way)
    }

    /// Gives a job to the thread; does it at once where there is none.
    fn give(&mut self, job: Job) -> Option<Done> {
        let Some(helper) = &mut self.helper else { return Some(job.run()) };
        match helper.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => {
                helper.under_way += 1;
                None
            }
            Some(Err(job)) => Some(job.0.run()),
            None => None,
        }
    }
}

impl<S: Summary> Writer<S> {
    /// Puts blocks that are ready in their place, and has further ones sealed. Answers whether there were any.
    pub(super) fn seal(&mut self) -> bool {
        let ready = self.sealer.collect(false);
        let mut any = !ready.is_empty();
        for done in ready {
            self.install(done);
        }
        while let Some(job) = self.store.next_job(&self.sealer) {
            while self.sealer.under_way() >= BACKLOG {
                for done in self.sealer.collect(true) {
                    self.install(done);
                }
            }
            self.store.settled = job.end();
            if let Some(done) = self.sealer.give(job) {
                self.install(done);
                any = true;
            }
        }
        any
    }

    /// Waits for a block that is on its way; answers whether there was one.
    pub(super) fn wait_for_seal(&mut self) -> bool {
        let any = self.sealer.under_way() > 0;
        if any {
            for done in self.sealer.collect(true) {
                self.install(done);
            }
            self.seal();
        }
        any
    }

    fn install(&mut self, done: Done) {
        let (base, end) = (done.job.base, done.job.end());
        let Some(sealed) = self.store.install(done) else { return };
        let next = self.traces.next;
        sealed.each_run(&mut |low, rows| {
            let number = full(u64::from(low), next);
            let ids = rows.map(|row| (SpanId(sealed.span_id(row)), sealed.base() + row as u64));
            self.twins.move_rows(number, (base, end), ids);
        });
    }
}

impl Store {
    /// The next chunks to seal.
    fn next_job(&self, sealer: &Sealer) -> Option<Job> {
        let wanted = sealer.rows?;
        let from = self.settled.max(self.floor());
        let closed = self.closed.partition_point(|closed| closed.segment.end <= from);
        let closed = self.closed.get(closed).map(|closed| &*closed.segment);
        let (segment, is_closed) = closed.map_or((&self.current, false), |segment| (segment, true));
        let mut job = Job { base: from, parts: Vec::new(), shapes: segment.shapes.clone() };
        let (mut rows, mut bytes) = (0, 0);
        let first = segment.pieces.partition_point(|piece| piece.base < from);
        for piece in &segment.pieces[first..] {
            if !is_closed && self.next() - piece.end < sealer.hot {
                break;
            }
            let Some(chunk) = piece.chunk() else { break };
            if job.parts.is_empty() {
                job.base = piece.base;
            }
            rows += chunk.rows();
            bytes += chunk.bytes();
            job.parts.push((Arc::clone(chunk), Arc::clone(&piece.dead)));
            if rows >= wanted || bytes >= BLOCK_BYTES {
                return Some(job);
            }
        }
        (is_closed && !job.parts.is_empty()).then_some(job)
    }

    /// Puts a block in the place of its chunks, unless these have left.
    fn install(&mut self, done: Done) -> Option<Arc<Sealed>> {
        let base = done.job.base;
        if base < self.floor() {
            return None;
        }
        let closed = self.closed.partition_point(|closed| closed.segment.base <= base).checked_sub(1);
        let closed = closed.filter(|_| base < self.current.base);
        let segment = match closed {
            Some(place) => Arc::make_mut(&mut self.closed[place].segment),
            None => &mut self.current,
        };
        let chunks: Vec<_> = done.job.parts.iter().map(|(chunk, _)| Arc::clone(chunk)).collect();
        let (sealed, before, after) = segment.install(done)?;
        for chunk in chunks {
            self.spare.keep(chunk);
        }
        if let Some(place) = closed {
            self.closed[place].bytes = (self.closed[place].bytes + after).saturating_sub(before);
            self.closed_bytes = (self.closed_bytes + after).saturating_sub(before);
        } else {
            self.piece_bytes = (self.piece_bytes + after).saturating_sub(before);
        }
        Some(sealed)
    }
}

impl Segment {
    /// Answers the block with the bytes that its chunks took and those that it takes.
    fn install(&mut self, done: Done) -> Option<(Arc<Sealed>, usize, usize)> {
        let Done { job, sealed, places } = done;
        let (base, end) = (job.base, job.end());
        let first = self.pieces.partition_point(|piece| piece.base < base);
        let last = self.pieces.partition_point(|piece| piece.base < end);
        let old = self.pieces.get(first..last)?;
        if old.len() != job.parts.len() {
            return None;
        }
        let mut dead = Vec::new();
        for (piece, (chunk, known)) in old.iter().zip(&job.parts) {
            let died = (0..chunk.rows()).filter(|row| piece.is_dead(*row) && !is_set(known, *row));
            let offset = usize::try_from(piece.base - base).ok()?;
            for row in died.filter_map(|row| places.get(offset + row)).filter(|row| **row != NOWHERE) {
                set(&mut dead, *row as usize);
            }
        }
        let sealed = Arc::new(sealed);
        let piece = Piece { base, end, form: Form::Sealed(Arc::clone(&sealed)), dead: Arc::new(dead) };
        let bytes = (old.iter().map(Piece::bytes).sum(), piece.bytes());
        self.pieces.splice(first..last, [piece]);
        Some((sealed, bytes.0, bytes.1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::index::{Options, Reader, SpanFacts, View, open};
    use crate::model::{Badges, SourceId, Span, Timestamp, TraceId};
    use crate::source::load::{Load, Shape as LoadShape};

    struct Nothing;

    impl Summary for Nothing {
        fn observe(&mut self, _: &SpanFacts<'_>, _: &mut Badges) -> bool {
            false
        }

        fn forget(&mut self, _: TraceId) {}
    }

    fn writer() -> (Writer<Nothing>, Reader) {
        open(Options { budget: 256 << 20, sealing: Sealing::Never }, Nothing)
    }

    fn bodies() -> Vec<Vec<u8>> {
        Load::new(LoadShape::default()).take(6).collect()
    }

    fn insert(writer: &mut Writer<Nothing>, bodies: &[Vec<u8>]) {
        for body in bodies {
            writer.insert_spans(SourceId(0), body, Timestamp(1)).unwrap();
            writer.publish();
        }
    }

    fn held(view: &View) -> BTreeMap<TraceId, Vec<Span>> {
        let spans = |id: TraceId| view.trace(id).unwrap().spans.into_iter().map(move |span| (id, span.key));
        let mut held = BTreeMap::<TraceId, Vec<Span>>::new();
        for (id, key) in view.traces().flat_map(spans) {
            held.entry(id).or_default().push(view.span(id, key).unwrap());
        }
        held
    }

    #[test]
    fn rows_that_die_while_they_are_sealed_stay_dead() {
        let (mut writer, reader) = writer();
        insert(&mut writer, &bodies());
        let sealer = Sealer { rows: Some(1000), hot: 0, helper: None };
        let job = writer.store.next_job(&sealer).unwrap();
        let (base, end) = (job.base, job.end());
        writer.store.settled = end;
        let before = reader.view();
        for ordinal in (base..end).step_by(7) {
            writer.store.bury(ordinal);
        }
        writer.install(job.run());
        writer.changed = true;
        writer.publish();
        let (all, left) = (held(&before), held(&reader.view()));
        let count = |held: &BTreeMap<TraceId, Vec<Span>>| held.values().map(Vec::len).sum::<usize>() as u64;
        assert_eq!(count(&left), count(&all) - (end - base).div_ceil(7));
        let mut kept = left.iter().flat_map(|(id, spans)| spans.iter().map(move |span| (id, span)));
        assert!(kept.all(|(id, span)| all[id].contains(span)));
        assert_eq!(held(&before), all, "who looks at the old rows still does");
    }

    #[test]
    fn the_writer_goes_on_while_a_thread_seals() {
        let (mut plain, plain_reader) = writer();
        let (mut writer, reader) = writer();
        writer.sealer = Sealer { rows: Some(100), hot: 300, helper: Helper::start() };
        let bodies = bodies();
        for bodies in [&bodies[..], &bodies[..2], &bodies[3..]] {
            insert(&mut plain, bodies);
            insert(&mut writer, bodies);
        }
        let revision = reader.view().revision();
        for _ in 0..100_000 {
            assert!(!writer.publish(), "the spans are the same");
            if writer.sealer.under_way() == 0 {
                break;
            }
            std::thread::yield_now();
        }
        while writer.wait_for_seal() {}
        writer.share();
        let view = reader.view();
        assert_eq!(view.revision(), revision);
        let sealed = view.blocks().filter(|block| block.piece.chunk().is_none()).count();
        assert!(sealed > 2, "{sealed}");
        assert_eq!(held(&view), held(&plain_reader.view()));
        assert_eq!(held(&view.for_many()), held(&view));
        assert_eq!(view.stats().duplicates, plain_reader.view().stats().duplicates);
        assert!(writer.bytes() < plain.bytes());
    }
}
