//! What servers call things, among the proposals.

use std::collections::HashSet;
use std::sync::Arc;

use super::word::{Mode, Prefix, Word};
use super::{Candidate, bare_key};
use crate::model::Names;
use crate::query::Scope;

/// Adds what is not held here, behind what is.
pub(super) fn add(candidates: &mut Vec<Candidate>, word: &Word, names: &[Arc<Names>]) {
    if names.is_empty() || word.mode == Mode::Stage {
        return;
    }
    let known: HashSet<&str> = candidates.iter().map(|candidate| candidate.name.as_str()).collect();
    let all = names.iter().flat_map(|names| match &word.key {
        None if word.prefix == Prefix::Relation && word.mode != Mode::Bare => Vec::new(),
        None => names.tags.iter().filter_map(|tag| without_scope(tag)).collect(),
        Some(key) => values(names, bare_key(key)),
    });
    let mut new: Vec<&str> = all.filter(|name| !known.contains(name)).collect();
    new.sort_unstable();
    new.dedup();
    let added: Vec<Candidate> =
        new.into_iter().map(|name| Candidate { name: name.to_owned(), count: None, own: false }).collect();
    candidates.extend(added);
}

/// The key of a tag; not of intrinsic ones, which have no scope: the language has its own words for them.
fn without_scope(tag: &str) -> Option<&str> {
    Scope::WITH_PREFIX.iter().find_map(|scope| tag.strip_prefix(scope.prefix()))
}

fn values<'a>(names: &'a Names, key: &str) -> Vec<&'a str> {
    let list = match key {
        "service" | "service.name" | "rootServiceName" | "rootService" => Some(&names.services),
        "name" | "operation" | "rootName" => Some(&names.operations),
        _ => names.values.get(key),
    };
    list.into_iter().flatten().map(String::as_str).collect()
}
