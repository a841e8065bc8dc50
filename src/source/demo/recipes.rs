//! The recipe app: a page in a browser, and the API behind it, in one trace.

use super::cast::Service::{RecipeApi, RecipeWeb};
use super::story::{By, Draft, Story, Teller, ms};
use crate::model::{Kind, SpanId};

const LOAD: By = (RecipeWeb, "@opentelemetry/instrumentation-document-load");
const FETCH: By = (RecipeWeb, "@opentelemetry/instrumentation-fetch");
const CLICK: By = (RecipeWeb, "@opentelemetry/instrumentation-user-interaction");
const HTTP: By = (RecipeApi, "@opentelemetry/instrumentation-http");
const EXPRESS: By = (RecipeApi, "@opentelemetry/instrumentation-express");
const PG: By = (RecipeApi, "@opentelemetry/instrumentation-pg");
const IOREDIS: By = (RecipeApi, "@opentelemetry/instrumentation-ioredis");
const MONGO: By = (RecipeApi, "@opentelemetry/instrumentation-mongodb");
const PINO: By = (RecipeApi, "@opentelemetry/instrumentation-pino");

const PAGE: &str = "http://localhost:3100/recipes";

fn fetch(url: &str, from: u64, lasts: u64) -> Draft {
    Draft::new(FETCH, "GET", Kind::CLIENT, from, lasts)
        .texts(&[("http.request.method", "GET"), ("url.full", url), ("server.address", "localhost")])
        .int("server.port", 3101)
        .int("http.response.status_code", 200)
}

fn served(route: &str, query: &str, from: u64, lasts: u64) -> Draft {
    Draft::new(HTTP, &format!("GET {route}"), Kind::SERVER, from, lasts)
        .texts(&[("http.request.method", "GET"), ("url.scheme", "http"), ("url.path", route), ("url.query", query)])
        .texts(&[("server.address", "localhost"), ("client.address", "::1"), ("http.route", route)])
        .int("server.port", 3101)
        .int("http.response.status_code", 200)
}

fn pg(statement: &str, rows: i64, from: u64, lasts: u64) -> Draft {
    Draft::new(PG, "pg.query:SELECT recipe", Kind::CLIENT, from, lasts)
        .texts(&[("db.system.name", "postgresql"), ("db.namespace", "recipe"), ("db.query.text", statement)])
        .text("server.address", "127.0.0.1")
        .int("server.port", 5432)
        .int("db.response.returned_rows", rows)
}

fn cached(statement: &str, from: u64, lasts: u64) -> Draft {
    let command = statement.split(' ').next().unwrap_or_default();
    Draft::new(IOREDIS, command, Kind::CLIENT, from, lasts)
        .texts(&[("db.system.name", "redis"), ("db.operation.name", command), ("db.query.text", statement)])
        .text("server.address", "127.0.0.1")
        .int("server.port", 6379)
}

fn handlers(tell: &mut Teller<'_>, server: SpanId, from: u64) {
    for (place, name) in ["cors", "jsonParser", "session"].iter().enumerate() {
        let at = from + 300 * u64::try_from(place).unwrap_or_default();
        tell.child(server, Draft::new(EXPRESS, &format!("middleware - {name}"), Kind::INTERNAL, at, 200));
    }
}

/// The first page: 61 spans, of which 38 ask for one author each.
pub(super) fn load(mut tell: Teller<'_>) -> Story {
    let root = Draft::new(LOAD, "documentLoad /recipes", Kind::INTERNAL, 0, ms(812)).text("url.full", PAGE);
    let root = tell.root(root);
    let page = Draft::new(LOAD, "documentFetch", Kind::INTERNAL, ms(3), ms(61)).text("url.full", PAGE);
    tell.child(root, page.int("http.response.body.size", 4_812));
    let files = ["bundle.js", "app.css", "vendor.js", "logo.svg", "fonts/inter.woff2", "icons.svg", "hero.webp"];
    for (place, file) in files.iter().enumerate() {
        let at = ms(70) + ms(4) * u64::try_from(place).unwrap_or_default();
        let resource = Draft::new(LOAD, "resourceFetch", Kind::INTERNAL, at, ms(45));
        tell.child(root, resource.text("url.full", format!("http://localhost:3100/{file}")));
    }
    let call = tell.child(root, fetch("http://localhost:3101/api/recipes?page=1", ms(170), ms(560)));
    let server = tell.child(call, served("/api/recipes", "page=1", ms(178), ms(541)));
    handlers(&mut tell, server, ms(179));
    tell.child(server, cached("get recipes:page:1", ms(182), ms(2)));
    tell.child(
        server,
        pg("SELECT id, title, author_id FROM recipes ORDER BY created DESC LIMIT $1", 38, ms(186), ms(14)),
    );
    for place in 0..38 {
        tell.child(server, pg("SELECT name FROM authors WHERE id = $1", 1, ms(204) + place * ms(12), ms(9)));
    }
    let reviews = Draft::new(MONGO, "find reviews", Kind::CLIENT, ms(664), ms(31))
        .texts(&[("db.system.name", "mongodb"), ("db.namespace", "recipe"), ("db.operation.name", "find")])
        .texts(&[("db.collection.name", "reviews"), ("db.query.text", r#"{"find":"?","filter":{"recipe":"?"}}"#)]);
    tell.child(server, reviews);
    tell.child(server, cached("set recipes:page:1 [3 more arguments]", ms(698), ms(3)));
    tell.log(server, PINO, ms(715), (9, "listed 38 recipes for cook@example.org"));
    for place in 0..5 {
        let paint = Draft::new(LOAD, "resourceFetch", Kind::INTERNAL, ms(735) + place * ms(6), ms(40));
        tell.child(root, paint.text("url.full", format!("http://localhost:3100/photos/{}.webp", place + 1)));
    }
    tell.finish()
}

const SEARCH: &str =
    "SELECT id, title FROM recipes WHERE title ILIKE $1 OR body ILIKE $1 ORDER BY similarity(title, $2) DESC LIMIT 20";

/// A search that a person waits for: one statement of 1.21 s.
pub(super) fn search(mut tell: Teller<'_>) -> Story {
    let root = Draft::new(CLICK, "click #search", Kind::INTERNAL, 0, ms(1420))
        .texts(&[("event_type", "click"), ("target_element", "BUTTON"), ("target_xpath", "//*[@id=\"search\"]")])
        .text("url.full", PAGE);
    let root = tell.root(root);
    let call = tell.child(root, fetch("http://localhost:3101/api/recipes/search?q=fondue", ms(12), ms(1390)));
    let server = tell.child(call, served("/api/recipes/search", "q=fondue", ms(20), ms(1371)));
    handlers(&mut tell, server, ms(21));
    tell.child(server, cached("get search:fondue", ms(24), ms(2)));
    tell.child(server, pg(SEARCH, 20, ms(28), ms(1210)));
    for place in 0..3 {
        let statement = "SELECT name FROM authors WHERE id = $1";
        tell.child(server, pg(statement, 1, ms(1245) + place * ms(20), ms(12)));
    }
    tell.child(server, cached("set search:fondue [3 more arguments]", ms(1330), ms(3)));
    tell.log(server, PINO, ms(1240), (13, "slow search: q=fondue took 1210 ms"));
    tell.finish()
}
