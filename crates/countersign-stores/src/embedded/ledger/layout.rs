//! The layout of the file: whether it is one that is known here, a newer one, or somebody else's.

use redb::{ReadableTable, TableDefinition, TableHandle, WriteTransaction};

/// What is true of the whole file.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("countersign");
const LAYOUT: &str = "layout";
/// The layout that is written here.
pub(in super::super) const KNOWN: u64 = 1;

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum OpenError {
    #[error("its layout is {0}")]
    Newer(u64),
    #[error("it is a redb database of something else")]
    Foreign,
    #[error("it is another file than before, or an older copy")]
    Older,
    #[error(transparent)]
    Redb(#[from] redb::Error),
}

/// Whether the file is a new one, which gets our layout here. An error when it is not ours, or newer.
pub(super) fn check(transaction: &WriteTransaction) -> Result<bool, OpenError> {
    let found = layout(transaction)?;
    match found {
        Some((KNOWN, is_new)) => Ok(is_new),
        Some((newer, _)) => Err(OpenError::Newer(newer)),
        None => Err(OpenError::Foreign),
    }
}

fn layout(transaction: &WriteTransaction) -> Result<Option<(u64, bool)>, redb::Error> {
    let is_new =
        transaction.list_tables()?.next().is_none() && transaction.list_multimap_tables()?.next().is_none();
    if !is_new && !transaction.list_tables()?.any(|table| table.name() == ABOUT.name()) {
        return Ok(None);
    }
    let mut about = transaction.open_table(ABOUT)?;
    if is_new {
        about.insert(LAYOUT, KNOWN)?;
    }
    let layout = about.get(LAYOUT)?.map(|layout| (layout.value(), is_new));
    Ok(layout)
}
