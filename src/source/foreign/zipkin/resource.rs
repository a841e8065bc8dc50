//! Zipkin knows of a process only its service's name: exporters write the rest of a resource among the tags of each span.
//! By their names such tags go back to the resource, so that spans of one process are again of one resource.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Attribute, Resource, Scope, Text, Value};
use crate::otlp::encode;

/// The attributes of resources by OpenTelemetry's semantic conventions: whole namespaces end in a full stop. One that
/// spans have as well is not among them (`faas.`).
const OF_RESOURCE: &[&str] = &[
    "aws.ecs.",
    "aws.eks.",
    "browser.",
    "cloud.",
    "container.",
    "deployment.",
    "device.",
    "host.",
    "k8s.",
    "os.",
    "process.",
    "service.",
    "telemetry.",
    "webengine.",
];

/// Whether a tag is of the resource.
pub(super) fn is_of_resource(tag: &Attribute) -> bool {
    let key = tag.key.as_bytes();
    OF_RESOURCE.iter().any(|namespace| key.starts_with(namespace.as_bytes())) && !key.starts_with(b"service.peer.")
}

/// The resources and scopes of a body, each once.
#[derive(Default)]
pub(super) struct Resources {
    resources: HashMap<Vec<u8>, Arc<Resource>>,
    scopes: HashMap<[Text; 2], Arc<Scope>>,
}

impl Resources {
    /// The resource with this service name (unless it is empty, or a tag gives it) and these tags.
    pub(super) fn of(&mut self, service: Text, mut tags: Vec<Attribute>) -> Arc<Resource> {
        if !service.is_empty() {
            tags.retain(|tag| tag.key != "service.name");
            tags.insert(0, Attribute { key: Text::from("service.name"), value: Value::Text(service) });
        }
        let resource = Resource { attributes: tags, ..Resource::default() };
        let known = self.resources.entry(encode::resource(&resource));
        Arc::clone(known.or_insert_with(|| Arc::new(resource)))
    }

    /// The scope of this name and version.
    pub(super) fn scope(&mut self, of: [Text; 2]) -> Arc<Scope> {
        let made = |[name, version]: &[Text; 2]| {
            Arc::new(Scope { name: name.clone(), version: version.clone(), ..Scope::default() })
        };
        Arc::clone(self.scopes.entry(of).or_insert_with_key(made))
    }
}
