//! Who plays: the services, what they run on, and the instrumentation libraries that watch them.

use crate::model::{Attribute, Resource, Scope, Value};

/// A service of the demo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Service {
    HmisBackend,
    HmisInsurance,
    TaskManager,
    TaskWorker,
    RecipeWeb,
    RecipeApi,
    EventObserver,
    WebhookReceiver,
}

/// The way a service exports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf bodies.
    Protobuf,
    /// OTLP/HTTP with JSON bodies.
    Json,
}

/// All of them.
pub(super) const EVERYONE: [Service; 8] = [
    Service::HmisBackend,
    Service::HmisInsurance,
    Service::TaskManager,
    Service::TaskWorker,
    Service::RecipeWeb,
    Service::RecipeApi,
    Service::EventObserver,
    Service::WebhookReceiver,
];

impl Service {
    /// `service.name`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::HmisBackend => "hmis-backend",
            Self::HmisInsurance => "hmis-insurance",
            Self::TaskManager => "task-manager",
            Self::TaskWorker => "task-worker",
            Self::RecipeWeb => "recipe-web",
            Self::RecipeApi => "recipe-api",
            Self::EventObserver => "event-observer",
            Self::WebhookReceiver => "webhook-receiver",
        }
    }

    /// How it exports, as SDKs of its language do.
    pub(super) fn way(self) -> Way {
        match self {
            Self::HmisBackend | Self::HmisInsurance => Way::Grpc,
            Self::TaskWorker | Self::EventObserver | Self::WebhookReceiver => Way::Protobuf,
            Self::TaskManager | Self::RecipeWeb | Self::RecipeApi => Way::Json,
        }
    }

    fn sdk(self) -> (&'static str, &'static str) {
        match self {
            Self::HmisBackend | Self::HmisInsurance => ("python", "1.45.1"),
            Self::TaskManager | Self::TaskWorker | Self::RecipeApi => ("nodejs", "3.1.0"),
            Self::RecipeWeb => ("webjs", "2.12.0"),
            Self::EventObserver => ("rust", "0.33.0"),
            Self::WebhookReceiver => ("go", "1.47.0"),
        }
    }

    /// What its SDK says of the process.
    pub(super) fn resource(self) -> Resource {
        let (language, version) = self.sdk();
        let mut attributes = vec![
            text("service.name", self.name()),
            text("service.version", "1.0.0"),
            text("telemetry.sdk.language", language),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.version", version),
        ];
        match self {
            Self::HmisBackend | Self::HmisInsurance => {
                attributes.push(text("deployment.environment", "staging"));
                attributes.push(text("service.instance.id", "f099ed97-ed5f-4c35-9cbb-1b902a3e3fd4"));
            }
            Self::RecipeWeb => attributes.push(text("browser.language", "de-CH")),
            _ => {
                attributes.push(text("deployment.environment.name", "staging"));
                attributes.push(text("host.name", "box-7"));
                attributes.push(Attribute { key: "process.pid".into(), value: Value::Int(4711) });
            }
        }
        Resource { attributes, ..Resource::default() }
    }
}

/// An instrumentation library by its name.
pub(super) fn scope(name: &str) -> Scope {
    let version = match name {
        name if name.starts_with("opentelemetry.instrumentation") => "0.66b1",
        name if name.starts_with("@opentelemetry") => "0.221.0",
        _ => "",
    };
    Scope { name: name.into(), version: version.into(), ..Scope::default() }
}

/// An attribute with a text.
pub(super) fn text(key: &str, value: &str) -> Attribute {
    Attribute { key: key.into(), value: Value::Text(value.into()) }
}
