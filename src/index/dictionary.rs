//! What the writer knows of the segment it fills, and readers do not need: ids by content, and predictions.

use hashbrown::{DefaultHashBuilder, HashMap};

use super::chunk::{Chunk, mark};
use super::interner::Interner;
use super::recent::{Memo, Near, Recent, RecentOperation, Turn, sketch};
use super::segment::{Operation, Origin, Segment, Shape, pack};
use super::word::{Slot, Word};
use crate::model::Kind;
use crate::otlp::{AttributeValue, peek};
use crate::semconv;

/// Distinct keys a segment takes; attributes under further keys are kept as messages.
const MAX_KEYS: usize = 4096;
/// Distinct orders of keys a segment takes.
const MAX_SHAPES: usize = 32_768;
/// Texts longer than this are not worth a word.
const MAX_WORD: usize = 1024;
/// Slots of a key's cache of recent values.
const CACHE: usize = 256;
/// Slots for operations that came lately.
const RECENT_OPERATIONS: usize = 512;
/// Keys that get such a cache.
const CACHED_KEYS: usize = 256;
/// Children of a node that are tried one by one.
const LIKELY: usize = 6;
/// New values in a row after which those of a raw key are not looked up any more, for so many.
const STRANGE: u16 = 64;
const STRANGE_REST: u16 = 2048;
/// New values under a key before it is judged.
const FRESH: u32 = 512;

/// The writer's knowledge of one segment.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// Keys, values, names, services by their bytes.
    pub(super) words: Interner,
    /// Packed resources.
    resources: Interner,
    /// Packed scopes.
    scopes: Interner,
    /// `service.name` of each resource, as a word.
    services: Vec<u32>,
    /// What is known of each key.
    keys: Vec<Key>,
    /// Keys by their word.
    key_of_word: HashMap<u32, u32>,
    /// The trie of shapes: the same places as the segment's.
    nodes: Vec<Node>,
    /// What came after each of them.
    memos: Vec<Memo>,
    /// The same for readers.
    shapes: Vec<Shape>,
    /// Children by parent and key.
    edges: HashMap<(u32, u32), u32>,
    /// Operations by content.
    operations: HashMap<Operation, u32>,
    /// Operations by place.
    operation_list: Vec<Operation>,
    /// Those that came lately, by some bytes of their name.
    recent_operations: Vec<RecentOperation>,
    /// Origins by content.
    origins: HashMap<Origin, u32>,
    /// Origins by place.
    origin_list: Vec<Origin>,
    /// Bytes of text the dictionary may take.
    cap: usize,
    /// A buffer for [`pack`].
    packed: Vec<u8>,
    /// Resources that entered since they were last taken out; of very many at once the first.
    pub(super) fresh: Vec<Box<[u8]>>,
}

/// Resources that are remembered as fresh, and the longest that is.
const FRESH_RESOURCES: usize = 64;
const LONGEST_RESOURCE: usize = 16 * 1024;

/// An attribute key. Stands in one line of the cache, as do nodes.
#[derive(Debug)]
#[repr(align(64))]
struct Key {
    /// Its bytes, to compare a prediction with.
    bytes: Near,
    /// The key as a word.
    word: u32,
    /// What spans that carry it may be.
    calls: Calls,
    /// Text values seen.
    seen: u32,
    /// Of these, given a word.
    fresh: u32,
    /// Its values are too many for words: new ones go to the chunk.
    raw: bool,
    /// Where it is raw: values in a row that were new.
    strange: u16,
    /// Recent values, by hash.
    cache: Box<[Recent]>,
}

/// A node of the trie.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Node {
    /// The last key.
    key: u32,
    /// The first children, each plus one: tried before looking the key up.
    likely: [u32; LIKELY],
    /// What its spans may be.
    calls: Calls,
    /// One of the keys is `error.type`.
    error_type: bool,
}

/// Which spans may be calls to a database or, as a client, over HTTP, by their attribute keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Calls {
    #[default]
    None,
    Clients,
    Any,
}

impl Calls {
    /// By one key.
    fn of(key: &[u8]) -> Self {
        match std::str::from_utf8(key) {
            Ok(key) if !semconv::is_asked(key) => Self::None,
            Ok(key) if key.starts_with("db.") => Self::Any,
            Ok(key) if key.starts_with("http.") || key.starts_with("url.") => Self::Clients,
            _ => Self::None,
        }
    }
}

/// Where the reader stands in a span's attributes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// The shape so far.
    pub(super) shape: u32,
    /// No more keys can be told apart: the rest is kept as messages.
    pub(super) over: bool,
}

impl Dictionary {
    /// For a new segment whose dictionary may take `cap` bytes of text.
    pub(super) fn new(cap: usize) -> Self {
        let hasher = DefaultHashBuilder::default();
        Self {
            words: Interner::new(hasher.clone()),
            resources: Interner::new(hasher.clone()),
            scopes: Interner::new(hasher),
            services: Vec::new(),
            keys: Vec::new(),
            key_of_word: HashMap::new(),
            nodes: vec![Node::default()],
            memos: vec![Memo::default()],
            shapes: vec![Shape { parent: 0, key: 0, depth: 0 }],
            edges: HashMap::new(),
            operations: HashMap::new(),
            operation_list: Vec::new(),
            recent_operations: vec![RecentOperation::default(); RECENT_OPERATIONS],
            origins: HashMap::new(),
            origin_list: Vec::new(),
            cap,
            packed: Vec::new(),
            fresh: Vec::new(),
        }
    }

    /// The place of a resource.
    pub(super) fn resource(&mut self, message: &[u8], schema_url: &[u8]) -> u32 {
        pack(message, schema_url, &mut self.packed);
        let id = self.resources.intern(&self.packed);
        if self.services.len() <= id as usize {
            let service = peek::service_name(message).unwrap_or(b"unknown_service");
            self.services.push(self.words.intern(service));
            if self.fresh.len() < FRESH_RESOURCES && message.len() <= LONGEST_RESOURCE {
                self.fresh.push(message.into());
            }
        }
        id
    }

    /// The place of a scope.
    pub(super) fn scope(&mut self, message: &[u8], schema_url: &[u8]) -> u32 {
        pack(message, schema_url, &mut self.packed);
        self.scopes.intern(&self.packed)
    }

    /// The place of an origin.
    pub(super) fn origin(&mut self, origin: Origin) -> u32 {
        let list = &mut self.origin_list;
        *self.origins.entry(origin).or_insert_with(|| {
            list.push(origin);
            super::chunk::narrow(list.len() - 1)
        })
    }

    /// The place of an operation.
    #[inline]
    pub(super) fn operation(&mut self, resource: u32, name: &[u8], kind: i32) -> u32 {
        let service = self.services[resource as usize];
        let slot = sketch(name).wrapping_add(service as usize) % RECENT_OPERATIONS;
        let recent = &self.recent_operations[slot];
        if recent.place != 0 && (recent.kind, recent.service) == (kind, service) && recent.name.is(name, &self.words) {
            return recent.place - 1;
        }
        let operation = Operation { service, name: self.words.intern(name), kind };
        let list = &mut self.operation_list;
        let place = *self.operations.entry(operation).or_insert_with(|| {
            list.push(operation);
            super::chunk::narrow(list.len() - 1)
        });
        self.recent_operations[slot] =
            RecentOperation { name: Near::new(&self.words, operation.name), service, kind, place: place + 1 };
        place
    }

    /// Goes on from `step` by an attribute whose bytes are known, and answers its value.
    #[inline]
    pub(super) fn recall(&mut self, step: &mut Step, message: &[u8]) -> Option<Word> {
        let memo = &mut self.memos[step.shape as usize];
        let (shape, word) = memo.recall(message).filter(|_| !step.over)?;
        step.shape = shape;
        Some(word)
    }

    /// Remembers the attribute that led from a shape to another.
    #[inline]
    pub(super) fn remember(&mut self, from: u32, (message, key): (&[u8], &[u8]), to: Turn, word: Word) {
        self.memos[from as usize].remember((message, key), to, word);
    }

    /// Goes on from `step` by one key. Answers the key's place; `None` where the rest must be kept as messages.
    #[inline]
    pub(super) fn advance(&mut self, step: &mut Step, key: &[u8]) -> Option<u32> {
        if let Some(turn) = self.memos[step.shape as usize].turn(key).filter(|_| !step.over) {
            step.shape = turn.shape;
            return Some(turn.key);
        }
        self.branch(step, key)
    }

    fn branch(&mut self, step: &mut Step, key: &[u8]) -> Option<u32> {
        if !step.over {
            for likely in self.nodes[step.shape as usize].likely {
                let Some(child) = likely.checked_sub(1) else { break };
                let place = self.nodes[child as usize].key;
                if self.keys[place as usize].bytes.is(key, &self.words) {
                    step.shape = child;
                    return Some(place);
                }
            }
        }
        let place = if step.over { None } else { self.key(key) };
        let Some(place) = place else {
            step.over = true;
            return None;
        };
        let known = self.edges.get(&(step.shape, place)).copied();
        let Some(child) = known.or_else(|| self.add_node(step.shape, place)) else {
            step.over = true;
            return None;
        };
        step.shape = child;
        Some(place)
    }

    fn add_node(&mut self, parent: u32, key: u32) -> Option<u32> {
        if self.nodes.len() >= MAX_SHAPES {
            return None;
        }
        let place = super::chunk::narrow(self.nodes.len());
        let calls = self.nodes[parent as usize].calls.max(self.keys[key as usize].calls);
        let error_type =
            self.nodes[parent as usize].error_type || self.keys[key as usize].bytes.is(b"error.type", &self.words);
        self.nodes.push(Node { key, calls, error_type, ..Node::default() });
        self.memos.push(Memo::default());
        if let Some(free) = self.nodes[parent as usize].likely.iter_mut().find(|likely| **likely == 0) {
            *free = place + 1;
        }
        let depth = self.shapes[parent as usize].depth + 1;
        self.shapes.push(Shape { parent, key: self.keys[key as usize].word, depth });
        self.edges.insert((parent, key), place);
        Some(place)
    }

    fn key(&mut self, bytes: &[u8]) -> Option<u32> {
        let hash = self.words.hash(bytes);
        let known = self.words.find(hash, bytes);
        if let Some(place) = known.and_then(|word| self.key_of_word.get(&word)) {
            return Some(*place);
        }
        if self.keys.len() >= MAX_KEYS || bytes.len() > MAX_WORD {
            return None;
        }
        let word = known.unwrap_or_else(|| self.words.insert(hash, bytes));
        let place = super::chunk::narrow(self.keys.len());
        let (seen, fresh, raw, strange, cache) = (0, 0, false, 0, Box::default());
        self.keys.push(Key {
            bytes: Near::new(&self.words, word),
            word,
            calls: Calls::of(bytes),
            seen,
            fresh,
            raw,
            strange,
            cache,
        });
        self.key_of_word.insert(word, place);
        Some(place)
    }

    /// `service.name` of a resource, as a word.
    #[inline]
    pub(super) fn service(&self, resource: u32) -> u32 {
        self.services[resource as usize]
    }

    /// The marks of spans of a shape and kind: [`mark::ERROR_TYPE`], and [`mark::CALL`] for what may be one, never
    /// without it for one that is.
    #[inline]
    pub(super) fn marks(&self, shape: u32, kind: i32) -> u8 {
        let node = &self.nodes[shape as usize];
        let call = match node.calls {
            Calls::None => false,
            Calls::Clients => Kind(kind) == Kind::CLIENT,
            Calls::Any => true,
        };
        (u8::from(call) * mark::CALL) | (u8::from(node.error_type) * mark::ERROR_TYPE)
    }

    /// The word for a value; its bytes go to `chunk` where it gets none of its own. `message` is the whole `KeyValue`.
    #[inline]
    pub(super) fn value(&mut self, key: u32, value: &AttributeValue<'_>, message: &[u8], chunk: &mut Chunk) -> Word {
        if let AttributeValue::Text(text) = value {
            return self.text(key, text, chunk);
        }
        if let Some(word) = Word::immediate(value) {
            return word;
        }
        Word::new(match value {
            AttributeValue::Int(number) => Slot::Int(chunk.push_wide(number.cast_unsigned())),
            AttributeValue::Double(number) => Slot::Double(chunk.push_wide(number.to_bits())),
            AttributeValue::Bytes(bytes) => Slot::Bytes(chunk.push_bytes(bytes)),
            _ => Slot::Message(chunk.push_bytes(message)),
        })
    }

    /// The word for a text.
    #[inline]
    pub(super) fn text(&mut self, key: u32, text: &[u8], chunk: &mut Chunk) -> Word {
        let state = &mut self.keys[key as usize];
        if state.strange > STRANGE {
            // As good as every value of the key is new: they are not looked up for a while.
            state.strange = if state.strange == u16::MAX { 0 } else { state.strange + 1 };
            return Word::new(Slot::Text(chunk.push_bytes(text)));
        }
        if text.len() > MAX_WORD {
            return Word::new(Slot::Text(chunk.push_bytes(text)));
        }
        state.seen = state.seen.saturating_add(1);
        let slot = sketch(text) % CACHE;
        if let Some(recent) = state.cache.get(slot).filter(|recent| recent.word != 0)
            && recent.text.is(text, &self.words)
        {
            state.strange = 0;
            return Word::new(Slot::Known(recent.word - 1));
        }
        if state.raw {
            state.strange = if state.strange == STRANGE { u16::MAX - STRANGE_REST } else { state.strange + 1 };
            return Word::new(Slot::Text(chunk.push_bytes(text)));
        }
        let hash = self.words.hash(text);
        let Some(id) = self.words.find(hash, text).or_else(|| {
            state.fresh += 1;
            state.raw = state.fresh > FRESH && state.fresh > state.seen / 8;
            (self.words.text_bytes() < self.cap).then(|| self.words.insert(hash, text))
        }) else {
            return Word::new(Slot::Text(chunk.push_bytes(text)));
        };
        if (key as usize) < CACHED_KEYS {
            if state.cache.is_empty() {
                state.cache = vec![Recent::default(); CACHE].into();
            }
            state.cache[slot] = Recent { text: Near::new(&self.words, id), word: id + 1 };
        }
        Word::new(Slot::Known(id))
    }

    /// Brings the segment's dictionaries up to what is known here.
    pub(super) fn sync(&self, segment: &mut Segment) {
        self.words.sync(&mut segment.words);
        self.resources.sync(&mut segment.resources);
        self.scopes.sync(&mut segment.scopes);
        for operation in self.operation_list.iter().skip(segment.operations.len() as usize) {
            segment.operations.push(*operation);
        }
        for origin in self.origin_list.iter().skip(segment.origins.len() as usize) {
            segment.origins.push(*origin);
        }
        for shape in self.shapes.iter().skip(segment.shapes.len() as usize) {
            segment.shapes.push(*shape);
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.words.bytes()
            + self.resources.bytes()
            + self.scopes.bytes()
            + self.keys.len() * (size_of::<Key>() + 64 + 16)
            + self.keys.len().min(CACHED_KEYS) * CACHE * size_of::<Recent>()
            + self.nodes.capacity() * (size_of::<Node>() + size_of::<Memo>() + size_of::<Shape>())
            + self.edges.capacity() * 16
            + self.operations.capacity() * 20
            + self.operation_list.capacity() * 12
            + self.origins.capacity() * 20
            + self.origin_list.capacity() * 12
    }
}
