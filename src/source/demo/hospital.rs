//! The hospital: FastAPI, SQLAlchemy, Redis and httpx under the Python SDK, with the old attribute names that it
//! still sends by default.

use super::cast::Service::{HmisBackend, HmisInsurance};
use super::story::{By, Draft, Story, Teller, ms};
use crate::model::{Kind, SpanId};

const APP: By = (HmisBackend, "hmis");
const FASTAPI: By = (HmisBackend, "opentelemetry.instrumentation.fastapi");
const SQL: By = (HmisBackend, "opentelemetry.instrumentation.sqlalchemy");
const REDIS: By = (HmisBackend, "opentelemetry.instrumentation.redis");
const HTTPX: By = (HmisBackend, "opentelemetry.instrumentation.httpx");
const INSURANCE_FASTAPI: By = (HmisInsurance, "opentelemetry.instrumentation.fastapi");
const INSURANCE_SQL: By = (HmisInsurance, "opentelemetry.instrumentation.sqlalchemy");

const PATIENT: &str = "/api/v1/patients/{id}";
const PATIENTS: &str = "/api/v1/patients";
const SELECT_PATIENT: &str = "SELECT * FROM patients WHERE id = $1";
const SELECT_INSURANCE: &str = "SELECT * FROM patient_insurance WHERE patient_id = $1 AND active";

const NOT_FOUND_STACK: &str = r#"Traceback (most recent call last):
  File "/srv/hmis/middleware/errors.py", line 31, in dispatch
    return await call_next(request)
  File "/srv/hmis/api/patients.py", line 58, in get_patient
    return await service.get_patient(patient_id)
  File "/srv/hmis/services/patients.py", line 112, in get_patient
    raise NotFoundError(f"patient {patient_id} not found")
hmis.errors.NotFoundError: patient 424242 not found
"#;

const RUNTIME_STACK: &str = r#"Traceback (most recent call last):
  File "/usr/lib/python3.13/site-packages/starlette/middleware/errors.py", line 164, in __call__
    await self.app(scope, receive, send)
  File "/srv/hmis/api/patients.py", line 91, in create_patient
    account = billing.open_account(patient)
  File "/srv/hmis/services/billing.py", line 47, in open_account
    raise RuntimeError("billing ledger is closed for the day")
RuntimeError: billing ledger is closed for the day
"#;

const STATUS_STACK: &str = r#"Traceback (most recent call last):
  File "/srv/hmis/services/insurance.py", line 39, in get_active_policies
    response.raise_for_status()
  File "/usr/lib/python3.13/site-packages/httpx/_models.py", line 829, in raise_for_status
    raise HTTPStatusError(message, request=request, response=self)
httpx.HTTPStatusError: Server error '503 Service Unavailable' for url 'http://insurance:8102/policies/9999999'
"#;

fn served(by: By, request: (&str, &str, &str), status: i64, (from, lasts): (u64, u64)) -> Draft {
    let (method, route, target) = request;
    let host = if by.0 == HmisBackend { "localhost:8101" } else { "insurance:8102" };
    Draft::new(by, &format!("{method} {route}"), Kind::SERVER, from, lasts)
        .texts(&[("http.scheme", "http"), ("http.host", host), ("http.flavor", "1.1"), ("http.target", target)])
        .text("http.url", format!("http://{host}{target}"))
        .texts(&[("http.method", method), ("http.user_agent", "curl/7.88.1"), ("net.peer.ip", "127.0.0.1")])
        .text("http.route", route)
        .int("http.status_code", status)
}

fn sql(by: By, statement: &str, from: u64, lasts: u64) -> Draft {
    let operation = statement.split(' ').next().unwrap_or_default();
    Draft::new(by, &format!("{operation} hmis"), Kind::CLIENT, from, lasts)
        .texts(&[("net.peer.name", "10.0.0.5"), ("db.name", "hmis"), ("db.user", "hmis"), ("db.statement", statement)])
        .text("db.system", "postgresql")
        .int("net.peer.port", 5432)
}

fn redis(statement: &str, from: u64, lasts: u64) -> Draft {
    let command = statement.split(' ').next().unwrap_or_default();
    Draft::new(REDIS, command, Kind::CLIENT, from, lasts)
        .texts(&[("db.statement", statement), ("db.system", "redis"), ("net.peer.name", "cache")])
        .int("net.peer.port", 6379)
        .int("db.redis.database_index", 0)
}

fn inner(name: &str, from: u64, lasts: u64) -> Draft {
    Draft::new(APP, name, Kind::INTERNAL, from, lasts)
}

/// What every request passes first: until 27 ms.
fn middleware(tell: &mut Teller<'_>, root: SpanId) {
    let auth = tell.child(root, inner("auth_middleware", ms(2), ms(12)));
    tell.child(auth, redis("GET session:abc123", ms(4), ms(2)));
    tell.child(root, inner("tenant_middleware", ms(14), ms(5)));
    tell.child(root, inner("rate_limit_middleware", ms(19), ms(8)));
}

fn lookup_span(id: u64, from: u64, lasts: u64) -> Draft {
    inner("PatientService.get_patient", from, lasts).text("patient.id", id.to_string()).text("tenant_id", "tenant_demo")
}

fn cache_get(key: &str, hit: bool, from: u64) -> Draft {
    redis(&format!("GET {key}"), from, ms(3)).flag("cache.hit", hit)
}

/// The call into the insurance service, which asks for each of `policies` by itself; `each` is how long that takes.
fn insurance(tell: &mut Teller<'_>, root: SpanId, id: u64, (from, policies, each): (u64, u64, u64)) {
    let work = policies * each;
    let outer = inner("InsuranceService.get_active_policies", from, work + ms(30)).text("patient.id", id.to_string());
    let outer = tell.child(root, outer);
    let call = tell.child(outer, insurance_call(id, 200, from + ms(2), work + ms(26)));
    let target = format!("/policies/{id}");
    let request = ("GET", "/policies/{id}", target.as_str());
    let server = tell.child(call, served(INSURANCE_FASTAPI, request, 200, (from + ms(5), work + ms(19))));
    for place in 0..policies {
        tell.child(server, sql(INSURANCE_SQL, SELECT_INSURANCE, from + ms(12) + place * each, each));
    }
}

fn insurance_call(id: u64, status: i64, from: u64, lasts: u64) -> Draft {
    Draft::new(HTTPX, "GET", Kind::CLIENT, from, lasts)
        .text("http.method", "GET")
        .text("http.url", format!("http://insurance:8102/policies/{id}"))
        .int("http.status_code", status)
}

/// The slow patient page: 2.31 s, of which one statement takes 1.82 s.
pub(super) fn slow_patient(mut tell: Teller<'_>) -> Story {
    let id = 9_999_999;
    let target = format!("/api/v1/patients/{id}");
    let root =
        tell.root(served(FASTAPI, ("GET", PATIENT, &target), 200, (0, ms(2310))).text("tenant_id", "tenant_demo"));
    middleware(&mut tell, root);
    let service = tell.child(root, lookup_span(id, ms(28), ms(1850)));
    let key = format!("patient:{id}");
    let get = tell.child(service, cache_get(&key, false, ms(28)));
    tell.log(get, APP, ms(31), (9, "cache miss for patient:9999999"));
    let select = tell.child(service, sql(SQL, SELECT_PATIENT, ms(31), ms(1820)));
    tell.log(select, APP, ms(1851), (13, "slow query, over the limit of 1 s: SELECT * FROM patients WHERE id = $1"));
    tell.child(service, redis(&format!("SET {key}"), ms(1851), ms(27)));
    insurance(&mut tell, root, id, (ms(1880), 12, 24_166));
    tell.child(root, inner("serialize_response", ms(2201), ms(8)));
    tell.finish()
}

/// The same page with the index in place: its statement takes 15 ms, or the cache has the patient.
pub(super) fn patient(mut tell: Teller<'_>) -> Story {
    let id = tell.random.between(1_000, 99_999);
    let hit = tell.random.between(0, 2) == 0;
    let tenant = tell.random.pick(&["tenant_demo", "tenant_b"]);
    let target = format!("/api/v1/patients/{id}");
    let root = tell.root(served(FASTAPI, ("GET", PATIENT, &target), 200, (0, ms(212))).text("tenant_id", tenant));
    middleware(&mut tell, root);
    let service = tell.child(root, lookup_span(id, ms(28), ms(if hit { 5 } else { 24 })));
    let key = format!("patient:{id}");
    tell.child(service, cache_get(&key, hit, ms(28)));
    if !hit {
        tell.child(service, sql(SQL, SELECT_PATIENT, ms(32), ms(15)));
        tell.child(service, redis(&format!("SET {key}"), ms(48), ms(3)));
    }
    insurance(&mut tell, root, id, (ms(54), 2, 55_000));
    tell.child(root, inner("serialize_response", ms(198), ms(8)));
    tell.finish()
}

/// The list that asks for each patient's insurance by itself: 1 + 47 statements.
pub(super) fn patients(mut tell: Teller<'_>) -> Story {
    let request = ("GET", PATIENTS, "/api/v1/patients?limit=47");
    let root = tell.root(served(FASTAPI, request, 200, (0, ms(688))).text("tenant_id", "tenant_demo"));
    middleware(&mut tell, root);
    let service =
        tell.child(root, inner("PatientService.list_patients", ms(28), ms(640)).text("tenant_id", "tenant_demo"));
    tell.child(
        service,
        sql(SQL, "SELECT id, name, document_number FROM patients ORDER BY name LIMIT $1", ms(30), ms(9)),
    );
    // 47 statements of 2.404 ms each: 113 ms in all; the rest of the time goes into making objects of the rows.
    for place in 0..47 {
        tell.child(service, sql(SQL, SELECT_INSURANCE, ms(42) + place * 13_200, 2_404));
    }
    tell.child(root, inner("serialize_response", ms(670), ms(14)));
    tell.finish()
}

/// A patient that is not there: 404, with the exception that says so.
pub(super) fn missing_patient(mut tell: Teller<'_>) -> Story {
    let request = ("GET", PATIENT, "/api/v1/patients/424242");
    let root = tell.root(served(FASTAPI, request, 404, (0, ms(31))).text("tenant_id", "tenant_demo"));
    middleware(&mut tell, root);
    let message = "patient 424242 not found";
    let lookup = lookup_span(424_242, ms(27), ms(3)).exception("hmis.errors.NotFoundError", message, NOT_FOUND_STACK);
    let service = tell.child(root, lookup);
    tell.child(service, redis("GET patient:424242", 27_200, 600).flag("cache.hit", false));
    tell.child(service, sql(SQL, SELECT_PATIENT, 27_900, 1_700));
    tell.log(service, APP, ms(30), (13, message));
    tell.finish()
}

/// The insurance service is overloaded: its 503 fails the request.
pub(super) fn insurance_down(mut tell: Teller<'_>) -> Story {
    let id = 9_999_999;
    let request = ("GET", PATIENT, "/api/v1/patients/9999999");
    let root = tell.root(served(FASTAPI, request, 503, (0, ms(94))).text("tenant_id", "tenant_demo").failed(""));
    middleware(&mut tell, root);
    let service = tell.child(root, lookup_span(id, ms(28), ms(5)));
    tell.child(service, cache_get("patient:9999999", true, ms(28)));
    let message = "Server error '503 Service Unavailable' for url 'http://insurance:8102/policies/9999999'";
    let outer = inner("InsuranceService.get_active_policies", ms(34), ms(56)).text("patient.id", id.to_string());
    let outer = tell.child(root, outer.exception("httpx.HTTPStatusError", message, STATUS_STACK));
    let call = tell.child(outer, insurance_call(id, 503, ms(36), ms(52)).failed(""));
    let request = ("GET", "/policies/{id}", "/policies/9999999");
    let server =
        tell.child(call, served(INSURANCE_FASTAPI, request, 503, (ms(39), ms(46))).failed("connection pool exhausted"));
    tell.log(server, (HmisInsurance, "hmis"), ms(84), (17, "connection pool exhausted: 20 of 20 in use"));
    tell.log(outer, APP, ms(90), (17, message));
    tell.finish()
}

const INSERT: &str = "INSERT INTO patients (document_number, name, ssn, password) VALUES ($1, $2, $3, $4) RETURNING id";

/// A new patient. The span carries what never should be in one: a password and a social security number.
pub(super) fn new_patient(mut tell: Teller<'_>) -> Story {
    let root = served(FASTAPI, ("POST", PATIENTS, PATIENTS), 201, (0, ms(58))).texts(&[
        ("tenant_id", "tenant_demo"),
        ("operation", "create_patient"),
        ("patient_document_type", "cedula"),
    ]);
    let root = tell.root(root);
    middleware(&mut tell, root);
    let service = tell.child(root, inner("PatientService.create_patient", ms(28), ms(22)));
    let insert =
        sql(SQL, INSERT, ms(30), ms(11)).texts(&[("user.password", "hunter2"), ("patient.ssn", "123-45-6789")]);
    let insert = tell.child(service, insert);
    tell.log(insert, APP, ms(41), (9, "created patient, contact ann@example.org, password=hunter2"));
    tell.child(service, redis("DEL patients:tenant_demo", ms(43), ms(1)));
    tell.child(root, inner("serialize_response", ms(51), ms(3)));
    tell.finish()
}

/// A failure of the program's own: 500, with a stack trace.
pub(super) fn billing_closed(mut tell: Teller<'_>) -> Story {
    let message = "billing ledger is closed for the day";
    let root = served(FASTAPI, ("POST", PATIENTS, PATIENTS), 500, (0, ms(36)))
        .texts(&[("tenant_id", "tenant_b"), ("operation", "create_patient")])
        .failed("");
    let root = tell.root(root);
    middleware(&mut tell, root);
    let service = tell.child(root, inner("PatientService.create_patient", ms(28), ms(7)));
    let billing = inner("BillingService.open_account", ms(30), ms(4)).exception("RuntimeError", message, RUNTIME_STACK);
    let billing = tell.child(service, billing);
    tell.child(billing, sql(SQL, "SELECT day, closed FROM ledger WHERE day = current_date", ms(31), ms(2)));
    tell.log(billing, APP, ms(34), (17, message));
    tell.finish()
}
