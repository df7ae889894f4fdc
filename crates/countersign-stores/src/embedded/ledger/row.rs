//! `Row`: what one transaction did, as the log keeps it.

use redb::StorageError;

use super::super::entry::{Entry, Packed, Short};

/// A stretch of keys: from this one on, up to the one before that; to the last where there is none.
pub(super) type Stretch = (Short, Option<Short>);

/// What one transaction did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The store's time after it.
    pub(super) millis: u64,
    /// How many keys are held after it.
    pub(super) held: u64,
    /// What it changed, in order. Of several changes of a key the last one counts.
    pub(super) changes: Vec<(Short, Entry)>,
    /// What it then settled.
    pub(super) settled: Vec<Stretch>,
}

impl Row {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.settled.is_empty()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [self.millis, self.held, self.settled.len() as u64] {
            bytes.extend(number.to_le_bytes());
        }
        for (from, next) in &self.settled {
            bytes.extend(from);
            // No stretch ends before the first key.
            bytes.extend(next.unwrap_or_default());
        }
        for (key, entry) in &self.changes {
            bytes.extend(key);
            bytes.extend(entry.packed());
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, StorageError> {
        Self::read(bytes).ok_or_else(|| StorageError::Corrupted("a row of the log is cut off".to_owned()))
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let (millis, held, settled) = (number(rest)?, number(rest)?, number(rest)?);
        let mut row = Self { millis, held, ..Self::default() };
        for _ in 0..settled {
            let (from, next) = (take::<16>(rest)?, take::<16>(rest)?);
            row.settled.push((from, Some(next).filter(|next| *next != Short::default())));
        }
        while !rest.is_empty() {
            let (key, entry): (Short, Packed) = (take(rest)?, take(rest)?);
            row.changes.push((key, Entry::from_packed(entry)));
        }
        Some(row)
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written_and_refused_when_it_is_cut() {
        let row = Row {
            millis: 1,
            held: 2,
            changes: vec![([7; 16], Entry::from_packed([3; 14])), ([8; 16], Entry::GONE)],
            settled: vec![([0; 16], Some([1; 16])), ([9; 16], None)],
        };
        let bytes = row.to_bytes();
        assert_eq!(Row::from_bytes(&bytes).unwrap(), row);
        let wholes = (0..bytes.len()).filter(|len| Row::from_bytes(&bytes[..*len]).is_ok());
        // After each change there could be an end.
        assert_eq!(wholes.collect::<Vec<_>>(), [bytes.len() - 60, bytes.len() - 30]);
        assert!(Row::from_bytes(&[255; 24]).is_err());
    }
}
