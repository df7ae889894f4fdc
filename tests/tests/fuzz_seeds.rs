//! The fuzz targets in ordinary tests: over seeds made from the vectors, and over mutations of these.

use std::{collections::BTreeSet, fs, panic::catch_unwind, path::Path};

use countersign_core::fuzzing::{Body, TARGETS};
use countersign_tests::seeds::{files, repository, seeds};

/// How many inputs each target gets that chance made.
const MUTATIONS: u64 = 2_000;

/// At how many places, shared among a target's seeds, a seed is cut off and has a bit changed.
const NEAR: usize = 500;

/// The longest seed that is changed, in bytes. Longer ones are run as they are.
const LONGEST: usize = 4096;

/// What mutations put in: pieces of the grammars, and numbers at the ends of their ranges.
const PIECES: &[&str] = &[
    ",",
    "=",
    ":",
    ".",
    "-",
    "\n",
    "\n\n",
    " ",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "null",
    "t=",
    "v1=",
    "sha256=",
    "now: ",
    "00",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0.1",
    "T00:00:00Z",
    "+14:00",
    "\u{0}",
    "é",
    "🦀",
];

#[test]
fn every_property_holds_on_the_seeds_and_near_them() {
    let seeds = seeds();
    for (name, body) in TARGETS {
        let seeds = &seeds[name];
        seeds.iter().for_each(|seed| check(name, *body, seed));
        check(name, *body, b"");
        let short: Vec<_> = seeds.iter().map(Vec::as_slice).filter(|seed| seed.len() <= LONGEST).collect();
        assert!(!short.is_empty(), "{name} has no seeds to change");
        let places = (NEAR / short.len()).max(2);
        // Many seeds share the places: each so many has two.
        let every = (short.len() * 2).div_ceil(NEAR);
        for seed in short.iter().step_by(every) {
            for place in (0..seed.len()).step_by(seed.len() / places + 1) {
                check(name, *body, &seed[..place]);
                let mut flipped = seed.to_vec();
                flipped[place] ^= 1 << (place % 8);
                check(name, *body, &flipped);
            }
        }
        let mut chance = Chance(0x2545_f491_4f6c_dd1d);
        (0..MUTATIONS).for_each(|_| check(name, *body, &chance.mutation(&short)));
    }
}

#[test]
fn every_target_has_its_line_in_the_fuzz_package() {
    let fuzz = repository().join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let files: BTreeSet<_> = files(&fuzz.join("fuzz_targets"), "rs").map(|path| stem(&path)).collect();
    assert_eq!(files, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
    for name in files {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml lacks {name}");
        let target = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("countersign_core::fuzzing::{name}(")), "{name} runs another body");
    }
}

fn check(name: &str, body: Body, input: &[u8]) {
    if catch_unwind(|| body(input)).is_err() {
        panic!("the fuzz target {name} fails on b\"{}\"", input.escape_ascii());
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// Xorshift: equal runs make equal inputs.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound.max(1)
    }

    /// A seed after one to four changes.
    fn mutation(&mut self, seeds: &[&[u8]]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            let end = at + self.below((input.len() - at).min(24) + 1);
            match self.below(6) {
                0 => input.truncate(at),
                1 => drop(input.drain(at..end)),
                2 => input = [&input[..at], &input[at..end], &input[at..]].concat(),
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    input = [&input[..at], piece.as_bytes(), &input[at..]].concat();
                }
                4 => {
                    let other = seeds[self.below(seeds.len())];
                    input = [&input[..at], &other[self.below(other.len() + 1)..]].concat();
                }
                _ => {
                    let byte = u8::try_from(self.below(256)).unwrap();
                    input.iter_mut().skip(at).take(1).for_each(|place| *place = byte);
                }
            }
        }
        input
    }
}
