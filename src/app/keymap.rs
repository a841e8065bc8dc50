//! Keys → actions.

use std::collections::BTreeMap;

use super::input::UnknownKey;
use super::{ACTIONS, Action, ActionInfo, Context, Key, KeyPress};

/// Which key does what where: the defaults of [`ACTIONS`], less what the config file changed.
///
/// Ctrl-C ends the program everywhere and cannot be bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

#[derive(Clone, Debug, PartialEq)]
struct Binding {
    action: Action,
    contexts: &'static [Context],
    keys: Vec<KeyPress>,
}

/// Why keys of the config file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// There is no such action.
    #[error("there is no action `{0}`; `tracefall --help` and the help screen (?) name them")]
    UnknownAction(String),
    /// There is no such key.
    #[error("{action}: {source}")]
    UnknownKey {
        /// The action it was to be bound to.
        action: String,
        /// The key.
        source: UnknownKey,
    },
    /// One key was bound to two actions that work in the same place.
    #[error("`{key}` is bound to both `{first}` and `{second}`")]
    Twice {
        /// The key.
        key: KeyPress,
        /// One action.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Ctrl-C cannot be bound.
    #[error("{0}: ctrl-c always ends the program")]
    Fixed(String),
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = ACTIONS
            .iter()
            .map(|info| Binding { action: info.action, contexts: info.contexts, keys: info.keys.to_vec() })
            .collect();
        Self { bindings }
    }
}

impl Keymap {
    /// Ends the program wherever one is, also while typing.
    pub const INTERRUPT: KeyPress = KeyPress { key: Key::Char('c'), ctrl: true, alt: false, shift: false };

    /// The defaults with some actions given other keys: action's name → names of keys. An action named here loses its
    /// default keys, and other actions lose defaults that are taken here.
    ///
    /// # Errors
    /// Where an action or key is unknown, or a key is given twice.
    pub fn with(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut chosen: Vec<(&'static ActionInfo, Vec<KeyPress>)> = Vec::new();
        for (name, keys) in overrides {
            let info = ActionInfo::named(name).ok_or_else(|| KeymapError::UnknownAction(name.clone()))?;
            let keys = keys.iter().map(|key| read(name, key)).collect::<Result<Vec<_>, _>>()?;
            if let Some((other, key)) = chosen.iter().find_map(|(other, taken)| {
                let both = keys.iter().find(|key| taken.contains(key) && overlap(info.contexts, other.contexts));
                both.map(|key| (other, *key))
            }) {
                return Err(KeymapError::Twice { key, first: other.name, second: info.name });
            }
            chosen.push((info, keys));
        }
        let mut keymap = Self::default();
        for binding in &mut keymap.bindings {
            for (info, keys) in &chosen {
                if info.action == binding.action {
                    binding.keys.clone_from(keys);
                } else if overlap(info.contexts, binding.contexts)
                    && !chosen.iter().any(|(other, _)| other.action == binding.action)
                {
                    binding.keys.retain(|key| !keys.contains(key));
                }
            }
        }
        Ok(keymap)
    }

    /// What `key` does in `context`; what works only there goes before what works everywhere.
    #[must_use]
    pub fn resolve(&self, context: Context, key: KeyPress) -> Option<Action> {
        let bound = |wanted: Context| {
            let hit = |binding: &&Binding| binding.contexts.contains(&wanted) && binding.keys.contains(&key);
            self.bindings.iter().find(hit).map(|binding| binding.action)
        };
        bound(context).or_else(|| bound(Context::Everywhere))
    }

    /// The keys of an action, the one to show first; empty where the config took them all.
    #[must_use]
    pub fn keys(&self, action: Action) -> &[KeyPress] {
        self.bindings.iter().find(|binding| binding.action == action).map_or(&[], |binding| &binding.keys)
    }
}

fn read(action: &str, key: &str) -> Result<KeyPress, KeymapError> {
    let key: KeyPress = key.parse().map_err(|source| KeymapError::UnknownKey { action: action.to_owned(), source })?;
    if key == Keymap::INTERRUPT {
        return Err(KeymapError::Fixed(action.to_owned()));
    }
    Ok(key)
}

fn overlap(one: &[Context], other: &[Context]) -> bool {
    let everywhere = |contexts: &[Context]| contexts.contains(&Context::Everywhere);
    everywhere(one) || everywhere(other) || one.iter().any(|context| other.contains(context))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Overrides<'a> = &'a [(&'a str, &'a [&'a str])];

    fn keymap(overrides: Overrides<'_>) -> Result<Keymap, KeymapError> {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Keymap::with(&overrides.iter().map(|(name, keys)| ((*name).to_owned(), owned(keys))).collect())
    }

    fn does(keymap: &Keymap, context: Context, key: &str) -> Option<Action> {
        keymap.resolve(context, key.parse().unwrap())
    }

    #[test]
    fn one_key_does_different_things_in_different_places() {
        let keymap = Keymap::default();
        let table = [
            (Context::Traces, "s", Some(Action::Sort)),
            (Context::Trace, "s", Some(Action::NextSlow)),
            (Context::Health, "s", None),
            (Context::Traces, "d", Some(Action::Demo)),
            (Context::Detail, "d", Some(Action::FocusDetail)),
            (Context::Trace, "q", Some(Action::Quit)),
            (Context::Trace, "shift-tab", Some(Action::PreviousClause)),
            (Context::Trace, "7", None),
        ];
        for (context, key, action) in table {
            assert_eq!(does(&keymap, context, key), action, "{key} in {context:?}");
        }
    }

    #[test]
    fn the_config_file_goes_before_the_defaults() {
        let keymap = keymap(&[("quit", &["ctrl-q"]), ("sort", &["o", "f"])]).unwrap();
        assert_eq!(does(&keymap, Context::Traces, "q"), None);
        assert_eq!(does(&keymap, Context::Health, "ctrl-q"), Some(Action::Quit));
        assert_eq!(does(&keymap, Context::Traces, "f"), Some(Action::Sort));
        assert_eq!(does(&keymap, Context::Traces, "s"), None);
        assert_eq!(does(&keymap, Context::Trace, "s"), Some(Action::NextSlow));
        assert!(keymap.keys(Action::Follow).is_empty());
    }

    #[test]
    fn a_key_taken_everywhere_is_taken_from_the_defaults_of_each_place() {
        let keymap = keymap(&[("theme", &["s"])]).unwrap();
        assert_eq!(does(&keymap, Context::Traces, "s"), Some(Action::Theme));
        assert_eq!(does(&keymap, Context::Trace, "s"), Some(Action::Theme));
    }

    #[test]
    fn two_actions_may_swap_their_keys() {
        let keymap = keymap(&[("sort", &["f"]), ("follow", &["s"])]).unwrap();
        assert_eq!(does(&keymap, Context::Traces, "f"), Some(Action::Sort));
        assert_eq!(does(&keymap, Context::Traces, "s"), Some(Action::Follow));
    }

    #[test]
    fn mistakes_in_the_config_file_are_named() {
        let table: [(Overrides<'_>, &str); 4] = [
            (&[("quti", &["x"])], "there is no action `quti`"),
            (&[("quit", &["hyper-x"])], "quit: `hyper-x` is no key"),
            (&[("sort", &["x"]), ("theme", &["x"])], "`x` is bound to both `sort` and `theme`"),
            (&[("copy", &["ctrl-c"])], "copy: ctrl-c always ends the program"),
        ];
        for (overrides, message) in table {
            let error = keymap(overrides).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
