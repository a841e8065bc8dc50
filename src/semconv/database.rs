//! Database systems: renamed values, and which of them speak SQL.

/// Renamed values of `db.system` (semantic conventions, database migration guide): former, present.
const SYSTEMS: &[(&str, &str)] = &[
    ("mssql", "microsoft.sql_server"),
    ("oracle", "oracle.db"),
    ("db2", "ibm.db2"),
    ("dynamodb", "aws.dynamodb"),
    ("cosmosdb", "azure.cosmosdb"),
    ("redshift", "aws.redshift"),
    ("spanner", "gcp.spanner"),
    ("h2", "h2database"),
    ("firebird", "firebirdsql"),
    ("hanadb", "sap.hana"),
    ("informix", "ibm.informix"),
    ("ingres", "actian.ingres"),
    ("maxdb", "sap.maxdb"),
    ("netezza", "ibm.netezza"),
    ("intersystems_cache", "intersystems.cache"),
    ("adabas", "softwareag.adabas"),
];

/// The present name of a database system: `mssql` gives `microsoft.sql_server`. Unknown names are given back.
#[must_use]
pub fn canonical_system(value: &str) -> &str {
    SYSTEMS.iter().find(|(former, _)| *former == value).map_or(value, |(_, present)| present)
}

/// Whether two values of `db.system` or `db.system.name` mean the same system.
#[must_use]
pub fn same_system(one: &str, other: &str) -> bool {
    canonical_system(one) == canonical_system(other)
}

/// Stores without SQL: key-value, document, search, graph.
const WITHOUT_SQL: &[&str] = &[
    "redis",
    "valkey",
    "keydb",
    "dragonfly",
    "memcached",
    "mongodb",
    "mongoose",
    "elasticsearch",
    "opensearch",
    "aws.dynamodb",
    "azure.cosmosdb",
    "couchdb",
    "hbase",
    "geode",
    "neo4j",
    "etcd",
    "rocksdb",
];

/// Whether a system is one of them.
pub(super) fn is_without_sql(system: &str) -> bool {
    WITHOUT_SQL.contains(&canonical_system(system))
}

/// The store without SQL that a label begins with: as [`super::describe`] puts it there (`redis GET patient:1`), or as
/// instrumentations name their spans (`mongodb.find`, `redis-GET`).
#[must_use]
pub fn system_in_front(label: &str) -> Option<&'static str> {
    let first = label.split_whitespace().next()?;
    let prefix = first.split(['.', '-', ':']).next().unwrap_or(first);
    WITHOUT_SQL.iter().copied().find(|system| [first, prefix].iter().any(|word| word.eq_ignore_ascii_case(system)))
}

/// Whether a system is known to be relational, so that its spans are SQL even where they carry no statement.
pub(super) fn is_relational(system: &str) -> bool {
    matches!(
        canonical_system(system),
        "postgresql"
            | "mysql"
            | "mariadb"
            | "sqlite"
            | "microsoft.sql_server"
            | "oracle.db"
            | "ibm.db2"
            | "aws.redshift"
            | "gcp.spanner"
            | "h2database"
            | "firebirdsql"
            | "sap.hana"
            | "ibm.informix"
            | "actian.ingres"
            | "sap.maxdb"
            | "ibm.netezza"
            | "intersystems.cache"
            | "cockroachdb"
            | "clickhouse"
            | "duckdb"
            | "snowflake"
            | "trino"
            | "hsqldb"
            | "derby"
            | "teradata"
            | "sybase"
            | "vertica"
            | "other_sql"
    )
}
