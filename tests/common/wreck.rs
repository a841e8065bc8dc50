//! Bodies that broke on the way, the same in every run.

use std::env;

/// Numbers that look random and are the same in every run (xorshift64, Marsaglia 2003). The seed is not zero.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// With the seed that `TRACEFALL_FUZZ_SEED` says, else the `usual` one.
    pub(crate) fn seeded(usual: u64) -> Self {
        let said = env::var("TRACEFALL_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
        Self(said.filter(|seed| *seed > 0).unwrap_or(usual))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`, which is not zero.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % limit
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }
}

/// How many bytes a run takes: what `TRACEFALL_FUZZ_BYTES` says, else `usual`.
pub(crate) fn budget(usual: usize) -> usize {
    env::var("TRACEFALL_FUZZ_BYTES").ok().and_then(|bytes| bytes.parse().ok()).unwrap_or(usual)
}

/// One of `bodies`, damaged in a few places: bytes changed, cut out, doubled or taken from another one, or the end
/// missing.
pub(crate) fn wreck(bodies: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut body = bodies[random.below(bodies.len())].clone();
    for _ in 0..=random.below(4) {
        if body.is_empty() {
            break;
        }
        let place = random.below(body.len());
        let until = (place + 1 + random.below(24)).min(body.len());
        match random.below(8) {
            0..=2 => body[place] = random.byte(),
            3 => body[place] ^= 1 << random.below(8),
            4 => drop(body.drain(place..until)),
            5 => {
                let doubled = body[place..until].to_vec();
                drop(body.splice(place..place, doubled));
            }
            6 => {
                let other = &bodies[random.below(bodies.len())];
                let start = random.below(other.len() + 1);
                let end = (start + 1 + random.below(64)).min(other.len());
                drop(body.splice(place..until, other[start..end].iter().copied()));
            }
            _ if random.one_in(4) => body.truncate(place),
            _ => body[place] = body[place].wrapping_add(1),
        }
    }
    body
}
