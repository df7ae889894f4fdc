//! The heap of this process, searched for bytes that must not be there.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    hint::black_box,
    os::unix::fs::FileExt,
};

use base64ct::{Base64, Encoding as _};

/// Bytes on the stack, which is not searched.
#[derive(Clone, Copy)]
pub struct Text {
    pub bytes: [u8; 128],
    pub length: usize,
}

impl Text {
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut text = Self { bytes: [0; 128], length: 0 };
        for byte in parts.iter().copied().flatten() {
            text.bytes[text.length] = *byte;
            text.length += 1;
        }
        text
    }

    pub fn hex(bytes: &[u8]) -> Self {
        let mut text = Self { bytes: [0; 128], length: bytes.len() * 2 };
        hex::encode_to_slice(bytes, &mut text.bytes[..bytes.len() * 2]).unwrap();
        text
    }

    pub fn base64(bytes: &[u8]) -> Self {
        Self::of(&[Base64::encode(bytes, &mut [0; 128]).unwrap().as_bytes()])
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// What is looked for: every eight consecutive bytes of it, masked, so that the list does not find itself.
///
/// Memory is read in aligned words of eight bytes, so fifteen consecutive bytes are always found. An allocator overwrites the first
/// bytes of what is freed; the others are found.
pub struct Needles {
    windows: Vec<(u64, &'static str)>,
    /// Which values the low 16 bits of a window have: most of the memory is passed over at this glance.
    low: Vec<bool>,
}

impl Default for Needles {
    fn default() -> Self {
        Self { windows: Vec::new(), low: vec![false; 1 << 16] }
    }
}

impl Needles {
    const MASK: u64 = 0x6a09_e667_f3bc_c908;

    pub fn add(&mut self, what: &'static str, bytes: &[u8]) {
        for window in bytes.windows(8) {
            let masked = u64::from_ne_bytes(window.try_into().unwrap()) ^ Self::MASK;
            self.windows.push((masked, what));
            self.low[masked as usize % (1 << 16)] = true;
        }
    }

    /// What of it is in writable memory, except for the stacks of this thread and of the main thread.
    pub fn found(mut self) -> BTreeSet<&'static str> {
        self.windows.sort_unstable();
        let (mut found, mut buffer) = (BTreeSet::new(), [0; 1 << 16]);
        let (stack, heap) = (&raw const buffer as u64, self.low.as_ptr() as u64);
        let memory = File::open("/proc/self/mem").unwrap();
        for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
            let mut fields = line.split_ascii_whitespace();
            let (from, to) = fields.next().unwrap().split_once('-').unwrap();
            let [mut from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).unwrap());
            if (from..to).contains(&stack) {
                assert!(!(from..to).contains(&heap), "the stack is told from the heap");
                continue;
            }
            if !fields.next().unwrap().starts_with("rw") || line.ends_with("[stack]") {
                continue;
            }
            while from < to {
                let length = (to - from).min(buffer.len() as u64);
                memory.read_exact_at(&mut buffer[..length as usize], from).unwrap();
                for window in buffer[..length as usize].as_chunks().0 {
                    let masked = u64::from_ne_bytes(*window) ^ Self::MASK;
                    if self.low[masked as usize % (1 << 16)] {
                        let at = self.windows.partition_point(|(other, _)| *other < masked);
                        found.extend(self.windows[at..].iter().take_while(|w| w.0 == masked).map(|w| w.1));
                    }
                }
                from += length;
            }
        }
        found
    }
}

/// Overwrites what functions of the test left on the stack. Otherwise a value that is made there and moved to the heap could carry it along
/// in its padding.
#[inline(never)]
pub fn overwrite_stack() {
    black_box(&mut [0_u8; 1 << 15]);
}
