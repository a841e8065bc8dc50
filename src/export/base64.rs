//! Base64 (RFC 4648, section 4), as JSON carries bytes.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padded where it is written; read either way.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes as padded text.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// The bytes of such text; `None` where it is not.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_come_back() {
        // The vectors of RFC 4648, section 10.
        for (plain, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), text);
            assert_eq!(from_base64(text).unwrap(), plain.as_bytes());
        }
        let all: Vec<u8> = (0..=255).collect();
        for length in 0..=all.len() {
            assert_eq!(from_base64(&base64(&all[..length])).unwrap(), &all[..length]);
        }
        assert_eq!((from_base64("Zm9v!"), from_base64("Z")), (None, None));
    }
}
