//! `Sha256` and `HmacSha256`: FIPS 180-4 and RFC 2104 over the library's compression.
//!
//! At the size of a webhook, what stands around the compressions is a good part of what a verification costs. Here a key is two
//! times eight words, a hash stays where it began, and the outer hash is one block.

use sha2::block_api::compress256;
use zeroize::{Zeroize, Zeroizing};

/// The bytes of a block.
const BLOCK: usize = 64;
/// Where the content's length stands in its last block.
const LENGTH: usize = 56;

/// The bytes that the outer hash of an HMAC takes in: the padded key, and a digest.
const OUTER: u64 = 64 + 32;

type State = [u32; 8];

/// FIPS 180-4, section 5.3.3.
const INITIAL: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A hash under way. When it is dropped, its state is wiped from memory, and so is what it holds of a secret.
#[derive(Clone)]
pub(crate) struct Sha256 {
    state: State,
    /// How many blocks the state has taken in.
    blocks: u64,
    /// The content behind them, so many bytes of a block that is not full, and zeros.
    pending: [u8; BLOCK],
    filled: usize,
    holds_secret: bool,
}

impl Sha256 {
    pub(crate) fn new() -> Self {
        Self::after(INITIAL, 0)
    }

    #[inline]
    fn after(state: State, blocks: u64) -> Self {
        Self { state, blocks, pending: [0; BLOCK], filled: 0, holds_secret: false }
    }

    pub(crate) fn digest(content: &[u8]) -> [u8; 32] {
        let mut hash = Self::new();
        hash.update(content);
        hash.finish()
    }

    /// Adds a secret.
    pub(crate) fn update_secret(&mut self, secret: &[u8]) {
        self.holds_secret = true;
        self.update(secret);
    }

    pub(crate) fn update(&mut self, mut content: &[u8]) {
        if self.filled > 0 {
            let room = self.pending.get_mut(self.filled..).unwrap_or_default();
            let Some((head, rest)) = content.split_at_checked(room.len()) else { return self.keep(content) };
            room.copy_from_slice(head);
            self.compress_pending();
            self.blocks = self.blocks.wrapping_add(1);
            self.filled = 0;
            content = rest;
        }
        let (blocks, rest) = content.as_chunks();
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
            self.blocks = self.blocks.wrapping_add(blocks.len() as u64);
        }
        self.keep(rest);
    }

    /// Adds what leaves the pending block with room.
    fn keep(&mut self, content: &[u8]) {
        let filled = self.filled.saturating_add(content.len());
        if let Some(place) = self.pending.get_mut(self.filled..filled) {
            place.copy_from_slice(content);
            self.filled = filled;
        }
    }

    fn compress_pending(&mut self) {
        compress256(&mut self.state, std::slice::from_ref(&self.pending));
        self.pending = [0; BLOCK];
    }

    /// The digest of what was added, which is used up.
    pub(crate) fn finish(&mut self) -> [u8; 32] {
        if let Some(end) = self.pending.get_mut(self.filled) {
            *end = 0x80;
        }
        if self.filled >= LENGTH {
            self.compress_pending();
        }
        let bytes = self.blocks.wrapping_mul(BLOCK as u64).wrapping_add(self.filled as u64);
        close(&mut self.pending, bytes);
        self.compress_pending();
        digest(&self.state)
    }
}

impl Drop for Sha256 {
    fn drop(&mut self) {
        self.state.zeroize();
        if self.holds_secret {
            self.pending.zeroize();
        }
    }
}

/// Puts the length of a content into its last block.
fn close(block: &mut [u8; BLOCK], bytes: u64) {
    if let Some(length) = block.last_chunk_mut() {
        *length = bytes.wrapping_mul(8).to_be_bytes();
    }
}

fn digest(state: &State) -> [u8; 32] {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

/// A key of HMAC-SHA256: the inner and the outer hash's state, once they have taken in the padded key.
#[derive(Clone)]
pub(crate) struct HmacSha256 {
    inner: Zeroizing<State>,
    outer: Zeroizing<State>,
}

impl HmacSha256 {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        match block.get_mut(..key.len()) {
            Some(place) => place.copy_from_slice(key),
            // A key beyond a block is hashed first (RFC 2104, section 2).
            None => {
                let mut hash = Sha256::new();
                hash.update_secret(key);
                let digest = Zeroizing::new(hash.finish());
                block.iter_mut().zip(&*digest).for_each(|(place, byte)| *place = *byte);
            }
        }
        let keyed = |pad: u8| {
            let (mut padded, mut state) = (block.clone(), Zeroizing::new(INITIAL));
            padded.iter_mut().for_each(|byte| *byte ^= pad);
            compress256(&mut state, std::slice::from_ref(&*padded));
            state
        };
        Self { inner: keyed(0x36), outer: keyed(0x5c) }
    }

    /// The inner hash, to which the content is added.
    #[inline]
    pub(crate) fn begin(&self) -> Sha256 {
        Sha256::after(*self.inner, 1)
    }

    /// The code of the content that was added.
    pub(crate) fn end(&self, content: &mut Sha256) -> [u8; 32] {
        let mut block = [0; BLOCK];
        if let Some((place, [end, ..])) = block.split_first_chunk_mut() {
            *place = content.finish();
            *end = 0x80;
        }
        close(&mut block, OUTER);
        let mut state = *self.outer;
        compress256(&mut state, &[block]);
        digest(&state)
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use proptest::prelude::*;
    use sha2::Digest as _;

    use super::*;

    fn check(key: &[u8], content: &[u8], cuts: &[usize]) {
        let mut cuts: Vec<_> = cuts
            .iter()
            .map(|cut| cut.checked_rem(content.len()).unwrap_or(0))
            .chain([content.len()])
            .collect();
        cuts.sort_unstable();
        let (mut plain, mac) = (Sha256::new(), HmacSha256::new(key));
        let mut keyed = mac.begin();
        let mut from = 0;
        for cut in cuts {
            plain.update(&content[from..cut]);
            keyed.update(&content[from..cut]);
            from = cut;
        }
        assert_eq!(plain.finish(), sha2::Sha256::digest(content).as_slice());
        let code = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(content).finalize();
        assert_eq!(mac.end(&mut keyed), code.into_bytes().as_slice());
    }

    #[test]
    fn agrees_with_the_libraries_around_every_edge_of_a_block() {
        let content: Vec<u8> = (0..=255).collect();
        for length in 0..=content.len() {
            for cut in [0, 1, 55, 56, 63, 64, 65, 128] {
                check(b"key", &content[..length], &[cut]);
            }
            check(&content[..length], b"content", &[]);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_libraries_however_the_content_is_cut(
            key in prop::collection::vec(any::<u8>(), 0..200),
            content in prop::collection::vec(any::<u8>(), 0..2000),
            cuts in prop::collection::vec(any::<usize>(), 0..9),
        ) {
            check(&key, &content, &cuts);
        }
    }
}
