//! What `cargo metadata` says of the workspace.

use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::commands::{Failure, root};

/// The workspace with every feature on, and the graph of its dependencies.
pub(crate) fn read() -> Result<Metadata, Failure> {
    let mut command = MetadataCommand::new();
    command.current_dir(root()).other_options(["--all-features".to_owned(), "--locked".to_owned()]);
    command.exec().map_err(|error| Failure::Found(error.to_string()))
}

/// The crates that users can depend on, by name.
pub(crate) fn published(metadata: &Metadata) -> Vec<&Package> {
    let is_published = |package: &&Package| package.publish.as_ref().is_none_or(|to| !to.is_empty());
    let mut published: Vec<_> = metadata.workspace_packages().into_iter().filter(is_published).collect();
    published.sort_by(|one, other| one.name.cmp(&other.name));
    published
}
