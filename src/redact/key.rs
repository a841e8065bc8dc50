//! Keys whose values are secrets.

use super::RuleError;

/// A word of a key that makes it secret when it contains one of these.
const CONTAINED: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "sessionid",
    "sessid",
    "cardnumber",
    "creditcard",
];

/// A word of a key that makes it secret when it ends in one of these: `accesstoken`, not `tokens` or `secretary`.
const ENDINGS: &[&str] = &["token", "secret", "cookie", "pwd"];

/// Words that make a key secret by themselves.
const WORDS: &[&str] = &["secrets", "cookies", "authorization", "ssn", "cvv", "cvc", "otp", "jwt", "bearer"];

/// Two words in a row that make a key secret.
const PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
    ("encryption", "key"),
    ("signing", "key"),
    ("auth", "key"),
    ("session", "key"),
    ("session", "id"),
    ("social", "security"),
    ("card", "number"),
    ("credit", "card"),
    ("db", "pass"),
    ("user", "pass"),
    ("database", "pass"),
];

/// Words that follow a secret's name where not the secret but something about it is told: `token_count`.
const ABOUT: &[&str] = &[
    "count",
    "counts",
    "length",
    "len",
    "size",
    "type",
    "kind",
    "limit",
    "usage",
    "used",
    "expires",
    "expiry",
    "expired",
    "expiration",
    "ttl",
    "age",
    "policy",
    "required",
    "enabled",
    "disabled",
    "valid",
    "verified",
    "present",
    "status",
    "state",
    "name",
    "arn",
    "endpoint",
    "url",
    "uri",
    "method",
    "provider",
    "version",
    "changed",
    "updated",
    "created",
    "at",
    "strength",
    "attempts",
    "error",
    "errors",
    "result",
    "decision",
    "outcome",
    "duration",
    "ms",
];

/// Parts of names by which text is searched for assignments; each secret key contains one.
const STEMS: &[&str] = &[
    "pass",
    "credential",
    "key",
    "sessi",
    "sessid",
    "token",
    "secret",
    "cookie",
    "pwd",
    "authorization",
    "ssn",
    "cvv",
    "cvc",
    "otp",
    "jwt",
    "bearer",
    "security",
    "card",
];

/// Which keys are secret.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    extra: Vec<Vec<String>>,
}

impl Keys {
    /// The built-in keys and those of `extra`.
    pub(super) fn new(extra: &[String]) -> Result<Self, RuleError> {
        let words_of = |key: &String| match words(key) {
            words if words.is_empty() => Err(RuleError::Key(key.clone())),
            words => Ok(words),
        };
        Ok(Self { extra: extra.iter().map(words_of).collect::<Result<_, _>>()? })
    }

    /// Whether values under `key` are secret.
    pub(super) fn is_secret(&self, key: &str) -> bool {
        let words = words(key);
        if self.extra.iter().any(|extra| words.windows(extra.len()).any(|some| some == extra)) {
            return true;
        }
        let last = (0..words.len()).rev().find(|at| {
            words.get(*at).is_some_and(|word| is_secret_word(word))
                || words.get(*at..at + 2).is_some_and(|two| PAIRS.contains(&(two[0].as_str(), two[1].as_str())))
        });
        last.is_some_and(|at| !words.iter().skip(at + 1).any(|word| ABOUT.contains(&word.as_str())))
    }

    /// Text parts of which every secret key contains at least one, in lower case.
    pub(super) fn stems(&self) -> impl Iterator<Item = &str> {
        STEMS.iter().copied().chain(self.extra.iter().filter_map(|words| words.first().map(String::as_str)))
    }
}

fn is_secret_word(word: &str) -> bool {
    WORDS.contains(&word)
        || CONTAINED.iter().any(|stem| word.contains(stem))
        || ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// The words of a key in lower case, parted by anything but letters and digits, and where `camelCase` begins a word.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in key.chars() {
        let starts_word = !c.is_alphanumeric() || (c.is_uppercase() && after_small);
        if starts_word && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        after_small = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_secrets_are_known_in_any_spelling() {
        let keys = Keys::new(&["patient.name".to_owned()]).unwrap();
        let secret = [
            "password",
            "user.password",
            "userPassword",
            "PASSWORD_HASH",
            "db.query.parameter.passwd",
            "pwd",
            "http.request.header.authorization",
            "Proxy-Authorization",
            "http.response.header.set-cookie",
            "x-api-key",
            "apiKey",
            "APIKey",
            "access_token",
            "accesstoken",
            "csrfToken",
            "client_secret",
            "aws.secret_access_key",
            "session_id",
            "JSESSIONID",
            "patient.ssn",
            "userSSN",
            "private-key",
            "card.number",
            "cvv",
            "request.PatientName",
        ];
        for key in secret {
            assert!(keys.is_secret(key), "{key}");
            let lower = key.to_lowercase();
            assert!(keys.stems().any(|stem| lower.contains(stem)), "{key} holds no stem");
        }
        let open = [
            "token_count",
            "llm.token_count.prompt",
            "gen_ai.usage.input_tokens",
            "max_tokens",
            "password.length",
            "password_reset_required",
            "k8s.secret.name",
            "aws.secretsmanager.secret.arn",
            "secretary",
            "authorization.decision",
            "db.statement",
            "patient.id",
            "session.duration",
            "aws.s3.key",
            "messaging.kafka.message.key",
            "tests.passed",
            "compass.heading",
            "",
            "...",
        ];
        for key in open {
            assert!(!keys.is_secret(key), "{key}");
        }
    }

    #[test]
    fn a_blank_extra_key_is_refused() {
        assert!(matches!(Keys::new(&[" .".to_owned()]), Err(RuleError::Key(_))));
    }
}
