//! Spans without secrets: what leaves is masked as it is on screen.

use std::collections::HashMap;
use std::sync::Arc;

use super::value;
use crate::model::{Attribute, Event, Link, LogRecord, Resource, Scope, Span, Text, Value};
use crate::redact::Redactor;

/// Masks the spans of one trace. Resources and scopes that are shared are looked at once.
pub(super) struct Mask<'a> {
    redactor: &'a Redactor,
    resources: Known<Resource>,
    scopes: Known<Scope>,
}

/// What was masked before, by its address: as it was, and without secrets.
type Known<T> = HashMap<usize, (Arc<T>, Arc<T>)>;

/// Masks what is shared, where it was not masked before.
fn once<T: Clone>(known: &mut Known<T>, shared: &mut Arc<T>, mask: impl FnOnce(&mut T)) {
    // The one before stays: another could come to have its address.
    let (_, masked) = known.entry(Arc::as_ptr(shared).addr()).or_insert_with(|| {
        let mut masked = T::clone(shared);
        mask(&mut masked);
        (Arc::clone(shared), Arc::new(masked))
    });
    *shared = Arc::clone(masked);
}

impl<'a> Mask<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, resources: HashMap::new(), scopes: HashMap::new() }
    }

    pub(super) fn span(&mut self, span: &mut Span) {
        self.text(&mut span.name);
        self.text(&mut span.trace_state);
        self.text(&mut span.status.message);
        self.attributes(&mut span.attributes);
        for Event { name, attributes, .. } in &mut span.events {
            self.text(name);
            self.attributes(attributes);
        }
        for Link { trace_state, attributes, .. } in &mut span.links {
            self.text(trace_state);
            self.attributes(attributes);
        }
        self.resource(&mut span.resource);
        self.scope(&mut span.scope);
    }

    pub(super) fn log(&mut self, log: &mut LogRecord) {
        self.value("", &mut log.body);
        self.text(&mut log.event_name);
        self.attributes(&mut log.attributes);
        self.resource(&mut log.resource);
        self.scope(&mut log.scope);
    }

    fn resource(&mut self, resource: &mut Arc<Resource>) {
        let mut known = std::mem::take(&mut self.resources);
        once(&mut known, resource, |resource| self.attributes(&mut resource.attributes));
        self.resources = known;
    }

    fn scope(&mut self, scope: &mut Arc<Scope>) {
        let mut known = std::mem::take(&mut self.scopes);
        once(&mut known, scope, |scope| self.attributes(&mut scope.attributes));
        self.scopes = known;
    }

    fn attributes(&self, attributes: &mut [Attribute]) {
        for Attribute { key, value } in attributes {
            self.value(&key.lossy(), value);
        }
    }

    /// What lies below a secret key is secret too.
    fn value(&self, key: &str, value: &mut Value) {
        match value {
            Value::Empty | Value::Bool(_) => {}
            Value::Array(members) => members.iter_mut().for_each(|member| self.value(key, member)),
            Value::Map(members) => {
                let secret = self.redactor.is_secret_key(key);
                for member in members {
                    let inner = member.key.lossy().into_owned();
                    self.value(if secret { key } else { &inner }, &mut member.value);
                }
            }
            Value::Bytes(_) if !self.redactor.is_secret_key(key) => {}
            Value::Text(_) | Value::Int(_) | Value::Double(_) | Value::Bytes(_) => {
                let plain = value::text(value);
                let shown = self.redactor.value(key, &plain).text;
                if shown != plain {
                    *value = Value::Text(Text::from(shown.into_owned()));
                }
            }
        }
    }

    fn text(&self, text: &mut Text) {
        let plain = text.lossy();
        let shown = self.redactor.text(&plain);
        if shown != plain {
            *text = Text::from(shown.into_owned());
        }
    }
}
