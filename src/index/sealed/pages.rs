//! Byte strings one after the other, in compressed pages.

use bytes::Bytes;

use super::super::chunk::narrow;
use super::super::sieve::Sieve;
use super::hex;
use super::pack::Frames;

/// Bytes after which a page is full. The compression looks back 64 KiB; larger pages make single rows dearer to read.
pub(super) const PAGE: usize = 64 << 10;

/// A compressed run of strings.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// Place of its first string among those of its stream.
    first: u32,
    /// Bytes it has when unpacked.
    raw: u32,
    /// Its strings are alike but for hexadecimal digits, which alone are in `bytes`; see [`hex`]. Else it is empty.
    template: Box<[u8]>,
    /// An LZ4 block, or the bytes as they are where that is no larger.
    bytes: Bytes,
}

/// Strings that belong together, in order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stream {
    /// How long each is.
    lengths: Frames,
    /// Its pages among those of the block.
    first_page: u32,
    end_page: u32,
}

/// A stream that is being written.
#[derive(Debug, Default)]
pub(super) struct StreamWriter {
    lengths: Vec<u64>,
    pages: Vec<Page>,
    open: Vec<u8>,
    open_first: u32,
    /// Room to compress a page in.
    packed: Vec<u8>,
}

impl StreamWriter {
    /// How many strings there are.
    pub(super) fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Appends a string.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.open.len() + bytes.len() > PAGE {
            self.close_page();
        }
        self.open.extend_from_slice(bytes);
        self.lengths.push(bytes.len() as u64);
    }

    fn close_page(&mut self) {
        if !self.open.is_empty() {
            let lengths = &self.lengths[self.open_first as usize..];
            let same = lengths.first().filter(|first| lengths.iter().all(|length| length == *first));
            let length = same.and_then(|length| usize::try_from(*length).ok());
            let digits = length.and_then(|length| hex::pack(&self.open, length));
            let (template, plain) = match &digits {
                Some((template, digits)) => (&template[..], digits),
                None => (&[][..], &self.open),
            };
            self.packed.resize(lz4_flex::block::get_maximum_output_size(plain.len()), 0);
            let packed = lz4_flex::block::compress_into(plain, &mut self.packed).ok();
            let packed =
                packed.and_then(|length| self.packed.get(..length)).filter(|packed| packed.len() < plain.len());
            let bytes = packed.unwrap_or(plain);
            self.pages.push(Page {
                first: self.open_first,
                raw: narrow(self.open.len()),
                template: template.into(),
                bytes: Bytes::copy_from_slice(bytes),
            });
            self.open.clear();
        }
        self.open_first = narrow(self.lengths.len());
    }

    /// Puts the stream among others.
    pub(super) fn finish(mut self, arena: &mut Vec<u32>, pages: &mut Vec<Page>) -> Stream {
        self.close_page();
        let first_page = narrow(pages.len());
        pages.append(&mut self.pages);
        Stream { lengths: Frames::put(&self.lengths, arena), first_page, end_page: narrow(pages.len()) }
    }
}

/// Strings of one page, unpacked.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// Place of the first, and one past the last.
    first: usize,
    end: usize,
    /// Those that pass the sieve, by place; none where there was no sieve.
    sifted: Vec<usize>,
    /// Where each ends in `bytes`; empty where none passes the sieve.
    ends: Vec<usize>,
    /// All of them.
    bytes: Plain,
}

/// Bytes that are text where they can be.
#[derive(Debug)]
enum Plain {
    Text(String),
    Other(Vec<u8>),
}

impl Default for Plain {
    fn default() -> Self {
        Self::Other(Vec::new())
    }
}

impl Unpacked {
    /// The string at a place of its stream, if this page has it.
    pub(super) fn get(&self, place: usize) -> Option<&[u8]> {
        let at = place.checked_sub(self.first)?;
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes().get(start..end)
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Plain::Text(text) => text.as_bytes(),
            Plain::Other(bytes) => bytes,
        }
    }

    /// Whether it has the string at a place of its stream.
    pub(super) fn has(&self, place: usize) -> bool {
        (self.first..self.end).contains(&place)
    }

    /// One past the place of its last string.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// The places of the strings that passed the sieve, in order.
    pub(super) fn sifted(&self) -> &[usize] {
        &self.sifted
    }

    /// The string at a place, if it is text.
    pub(super) fn text(&self, place: usize) -> Option<&str> {
        let Plain::Text(text) = &self.bytes else { return std::str::from_utf8(self.get(place)?).ok() };
        let at = place.checked_sub(self.first)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        text.get(start..*self.ends.get(at)?)
    }

    /// Notes which of the strings pass a sieve that was made ready for them.
    fn sift(&mut self, sieve: &Sieve<'_>, first_hit: usize) {
        let (mut at, mut place) = (Some(first_hit), 0);
        while let Some(start) = at {
            place += self.ends.get(place..).map_or(0, |ends| ends.partition_point(|end| *end <= start));
            let Some(end) = self.ends.get(place).copied() else { break };
            let within = start + sieve.part().len() <= end;
            if within {
                self.sifted.push(self.first + place);
            }
            at = sieve.find(self.bytes(), if within { end } else { start + 1 });
        }
    }

    /// Place of the first string and the strings.
    pub(super) fn strings(&self) -> (usize, impl Iterator<Item = &[u8]>) {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let strings = starts.zip(&self.ends).map(|(start, end)| self.bytes().get(start..*end).unwrap_or_default());
        (self.first, strings)
    }
}

impl Stream {
    /// How many strings there are.
    pub(super) fn len(self) -> usize {
        self.lengths.len()
    }

    fn pages(self, pages: &[Page]) -> &[Page] {
        pages.get(self.first_page as usize..self.end_page as usize).unwrap_or_default()
    }

    /// Unpacks the page with the string at `place`.
    pub(super) fn unpack(self, (arena, pages): (&[u32], &[Page]), place: usize, into: &mut Unpacked) {
        self.unpack_sifted((arena, pages), place, (None, into));
    }

    /// The same, of strings that pass a sieve if there is one: where none does, they are not taken apart.
    pub(super) fn unpack_sifted(
        self,
        (arena, pages): (&[u32], &[Page]),
        place: usize,
        (sieve, into): (Option<&mut Sieve<'_>>, &mut Unpacked),
    ) {
        let own = self.pages(pages);
        let at = own.partition_point(|page| page.first as usize <= place).saturating_sub(1);
        self.unpack_page((arena, own), at, (sieve, into));
    }

    /// Unpacks one page after the other.
    pub(super) fn each_page(
        self,
        (arena, pages): (&[u32], &[Page]),
        mut sieve: Option<Sieve<'_>>,
        each: &mut dyn FnMut(&Unpacked),
    ) {
        let own = self.pages(pages);
        let mut unpacked = Unpacked::default();
        for at in 0..own.len().max(usize::from(self.len() > 0)) {
            self.unpack_page((arena, own), at, (sieve.as_mut(), &mut unpacked));
            each(&unpacked);
        }
    }

    /// The strings of a page reach to the first of the next; empty ones before the first page belong to it.
    fn unpack_page(
        self,
        (arena, own): (&[u32], &[Page]),
        at: usize,
        (sieve, into): (Option<&mut Sieve<'_>>, &mut Unpacked),
    ) {
        into.first = if at == 0 { 0 } else { own.get(at).map_or(0, |page| page.first as usize) };
        into.end = own.get(at + 1).map_or(self.len(), |page| page.first as usize);
        into.sifted.clear();
        into.ends.clear();
        let mut bytes = match std::mem::take(&mut into.bytes) {
            Plain::Text(text) => text.into_bytes(),
            Plain::Other(bytes) => bytes,
        };
        let Some(sieve) = sieve else {
            match own.get(at) {
                Some(page) => page.unpack(&mut bytes),
                None => bytes.clear(),
            }
            self.take_apart(arena, into);
            into.bytes = match String::from_utf8(bytes) {
                Ok(text) => Plain::Text(text),
                Err(error) => Plain::Other(error.into_bytes()),
            };
            return;
        };
        let hit = own.get(at).and_then(|page| page.sift(sieve, &mut bytes));
        // Of few it will be asked whether they are text.
        into.bytes = Plain::Other(bytes);
        if let Some(hit) = hit {
            self.take_apart(arena, into);
            into.sift(sieve, hit);
        }
    }

    /// Notes where the strings of a page end.
    fn take_apart(self, arena: &[u32], into: &mut Unpacked) {
        let mut sum = 0;
        into.ends.extend(self.lengths.read(arena, into.first..into.end).into_iter().map(|length| {
            sum += usize::try_from(length).unwrap_or_default();
            sum
        }));
    }
}

impl Page {
    /// The strings as they are held.
    pub(super) fn packed(&mut self) -> &mut Bytes {
        &mut self.bytes
    }

    /// Unpacks it if it may hold what a sieve looks for: where that first stands, if anywhere.
    fn sift(&self, sieve: &mut Sieve<'_>, into: &mut Vec<u8>) -> Option<usize> {
        if !self.template.is_empty() && !hex::may_hold(&self.template, sieve.part()) {
            return None;
        }
        self.unpack(into);
        sieve.prepare(into);
        sieve.find(into, 0)
    }

    /// Its bytes, in place of others.
    fn unpack(&self, into: &mut Vec<u8>) {
        let raw = self.raw as usize;
        if self.template.is_empty() {
            return self.unpack_plain(raw, into);
        }
        let mut digits = Vec::new();
        self.unpack_plain(hex::packed_bytes(&self.template, raw), &mut digits);
        into.clear();
        hex::unpack(&self.template, &digits, into);
    }

    fn unpack_plain(&self, length: usize, into: &mut Vec<u8>) {
        into.resize(length, 0);
        if self.bytes.len() == length {
            into.copy_from_slice(&self.bytes);
        } else if lz4_flex::block::decompress_into(&self.bytes, into).is_err() {
            into.fill(0);
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + self.template.len() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn strings_come_back(strings in vec((0_usize..4, any::<u8>()).prop_flat_map(|(size, byte)| {
            vec(byte..=byte.saturating_add(2), [0, 3, 300, 70_000][size])
        }), 0..40)) {
            let (mut arena, mut pages) = (vec![3], vec![Page { first: 9, raw: 0, template: Box::default(), bytes: Bytes::new() }]);
            let mut writer = StreamWriter::default();
            for bytes in &strings {
                writer.push(bytes);
            }
            let stream = writer.finish(&mut arena, &mut pages);
            prop_assert_eq!(stream.len(), strings.len());
            let mut all = Vec::new();
            stream.each_page((&arena, &pages), None, &mut |page| {
                let (first, own) = page.strings();
                assert_eq!(first, all.len());
                all.extend(own.map(<[u8]>::to_vec));
            });
            prop_assert_eq!(&all, &strings);
            let mut page = Unpacked::default();
            for (place, bytes) in strings.iter().enumerate() {
                stream.unpack((&arena, &pages), place, &mut page);
                prop_assert_eq!(page.get(place), Some(&bytes[..]));
            }
        }
    }
}
