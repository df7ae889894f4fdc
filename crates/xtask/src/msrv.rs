//! Each published crate's `rust-version` is at least what its dependencies and its edition need.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Edition, Metadata, Package, PackageId, semver::Version};

use crate::{commands::Failure, metadata};

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let metadata = metadata::read()?;
    let mut too_low = Vec::new();
    for package in metadata::published(&metadata) {
        let (needed, by) = needed(&metadata, package);
        let declared = package.rust_version.as_ref();
        let shown = declared.map_or("none".to_owned(), Version::to_string);
        println!("msrv: {} declares {shown}; {by} needs {needed}", package.name);
        if declared.is_none_or(|declared| *declared < needed) {
            too_low.push(format!("{} declares {shown} and needs {needed} for {by}", package.name));
        }
    }
    match too_low.is_empty() {
        true => Ok(()),
        false => Err(Failure::Found(too_low.join("; "))),
    }
}

/// The highest version that anything in a crate's graph needs, and what needs it.
fn needed(metadata: &Metadata, package: &Package) -> (Version, String) {
    let mut needed = match package.edition {
        Edition::E2024 => (Version::new(1, 85, 0), "its edition".to_owned()),
        _ => (Version::new(1, 56, 0), "its edition".to_owned()),
    };
    let dependencies = dependencies(metadata, &package.id);
    for dependency in metadata.packages.iter().filter(|p| dependencies.contains(&p.id)) {
        if let Some(version) = dependency.rust_version.as_ref().filter(|version| **version > needed.0) {
            needed = (version.clone(), format!("{} {}", dependency.name, dependency.version));
        }
    }
    needed
}

/// All that is built into a crate, on any platform and with all features; build scripts and macros as well.
fn dependencies<'m>(metadata: &'m Metadata, package: &'m PackageId) -> BTreeSet<&'m PackageId> {
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let (mut found, mut open) = (BTreeSet::new(), vec![package]);
    while let Some(id) = open.pop() {
        let direct = nodes.iter().filter(|node| node.id == *id).flat_map(|node| &node.deps);
        for dependency in direct {
            let built_in = dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
            if built_in && found.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    found
}
