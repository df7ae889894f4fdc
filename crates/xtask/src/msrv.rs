//! Each published crate's `rust-version` is at least what its dependencies and its edition need.
//!
//! A feature whose dependencies need a newer Rust stands with it in `[package.metadata.rust-version]`: who does not use it is
//! not kept from using the rest.

use cargo_metadata::{Edition, Metadata, Package, semver::Version};

use crate::{
    commands::{Cargo, Failure},
    metadata,
};

pub(crate) fn run(_arguments: &[String]) -> Result<(), Failure> {
    let metadata = metadata::read()?;
    let mut too_low = Vec::new();
    for package in metadata::published(&metadata) {
        let raised = raised(package)?;
        let mut check = |features: &[&str], declared: Option<&Version>| {
            let (needed, by) = needed(&metadata, package, features)?;
            let shown = declared.map_or("none".to_owned(), Version::to_string);
            let (name, features) = (&package.name, features.join(","));
            println!("msrv: {name} with [{features}] declares {shown}; {by} needs {needed}");
            if declared.is_none_or(|declared| *declared < needed) {
                too_low
                    .push(format!("{name} with [{features}] declares {shown} and needs {needed} for {by}"));
            }
            Ok::<_, Failure>(())
        };
        let is_raised = |feature: &str| raised.iter().any(|(name, _)| *name == feature);
        let others: Vec<_> =
            package.features.keys().map(String::as_str).filter(|name| !is_raised(name)).collect();
        check(&others, package.rust_version.as_ref())?;
        for (feature, version) in &raised {
            check(&[feature], Some(version))?;
        }
    }
    match too_low.is_empty() {
        true => Ok(()),
        false => Err(Failure::Found(too_low.join("; "))),
    }
}

/// The features that declare a newer Rust of their own.
fn raised(package: &Package) -> Result<Vec<(&str, Version)>, Failure> {
    let declared = package.metadata.get("rust-version").and_then(|table| table.as_object());
    declared
        .into_iter()
        .flatten()
        .map(|(feature, version)| {
            let version = version.as_str().unwrap_or_default();
            let version = Version::parse(&format!("{version}.0"));
            version.map(|version| (feature.as_str(), version)).map_err(|error| {
                Failure::Found(format!("{}: metadata.rust-version.{feature}: {error}", package.name))
            })
        })
        .collect()
}

/// The highest version that anything built into a crate with these features needs, on any platform, build scripts and
/// macros as well; and what needs it.
fn needed(metadata: &Metadata, package: &Package, features: &[&str]) -> Result<(Version, String), Failure> {
    let mut needed = match package.edition {
        Edition::E2024 => (Version::new(1, 85, 0), "its edition".to_owned()),
        _ => (Version::new(1, 56, 0), "its edition".to_owned()),
    };
    let tree =
        Cargo::new("tree --locked --no-default-features --edges normal,build --target all --prefix none")
            .and(["--format", "{p}", "--package", package.name.as_str(), "--features", &features.join(",")])
            .output()?;
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let version = version.trim_start_matches('v');
        let dependency = metadata.packages.iter().find(|known| {
            known.name == name && known.version.to_string() == version && known.id != package.id
        });
        let rust = dependency.and_then(|dependency| dependency.rust_version.as_ref());
        if let Some(rust) = rust.filter(|rust| **rust > needed.0) {
            needed = (rust.clone(), format!("{name} {version}"));
        }
    }
    Ok(needed)
}
