//! Ten grants each for as many tenants as it takes, written straight into the tables: each tenant has a server with the
//! demo's tools, and a policy of its own.

use domain::Clock;
use sqlx::PgConnection;
use uuid::Uuid;
use vault::{Entropy, Token, TokenKind};

/// Grants of one tenant.
const EACH: usize = 10;
/// Rows of one statement.
const BATCH: usize = 500;

/// What a call is made with.
#[derive(Clone)]
pub struct Grant {
    pub server: Uuid,
    pub token: String,
}

/// Writes `count` grants. The tools are those of the server `model`, in the tenant that was there first.
pub async fn write(
    owner: &mut PgConnection,
    model: Uuid,
    count: usize,
    document: impl Fn(usize) -> String,
) -> Vec<Grant> {
    let mut grants = Vec::with_capacity(count);
    let tenants: Vec<usize> = (0..count / EACH).collect();
    for batch in tenants.chunks(BATCH) {
        let new = || Entropy::System.id::<Uuid>(Clock::System.now());
        let ids: Vec<[Uuid; 3]> = batch.iter().map(|_| [new(), new(), new()]).collect();
        let column = |at: usize| ids.iter().map(|row| row[at]).collect::<Vec<_>>();
        let names: Vec<String> = batch.iter().map(|number| format!("tenant-{number}")).collect();
        let documents: Vec<String> = batch.iter().map(|number| document(*number)).collect();
        let mut hashes = Vec::new();
        for row in &ids {
            for _ in 0..EACH {
                let token = Token::generate(TokenKind::Grant, &Entropy::System);
                hashes.push(token.hash().to_vec());
                grants.push(Grant { server: row[1], token: token.expose().to_owned() });
            }
        }
        let done = sqlx::query(ROWS)
            .bind(column(0))
            .bind(column(1))
            .bind(column(2))
            .bind(names)
            .bind(documents)
            .bind(hashes)
            .bind(model)
            .bind(i32::try_from(EACH).unwrap())
            .execute(&mut *owner)
            .await;
        done.unwrap_or_else(|error| panic!("{error}"));
    }
    sqlx::raw_sql("ANALYZE").execute(owner).await.unwrap();
    grants
}

const ROWS: &str = r"
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[]) WITH ORDINALITY
        AS g (tenant, server, policy, name, document, place)
), tenant AS (
    INSERT INTO tenants (id, slug, name, created_at) SELECT tenant, name, name, now() FROM given
), server AS (
    INSERT INTO servers (tenant_id, id, name, upstream_url, state, state_message, checked_at, created_at)
    SELECT g.tenant, g.server, m.name, m.upstream_url, m.state, m.state_message, now(), now()
    FROM given g, servers m WHERE m.id = $7
), tool AS (
    INSERT INTO server_tools (tenant_id, server_id, name, position, title, description, input_schema, annotations, digest,
                              first_seen_at, changed_at)
    SELECT g.tenant, g.server, o.name, o.position, o.title, o.description, o.input_schema, o.annotations, o.digest, now(), now()
    FROM given g, server_tools o WHERE o.server_id = $7
), policy AS (
    INSERT INTO policies (tenant_id, id, server_id, name, version, created_at)
    SELECT tenant, policy, server, 'agents', 1, now() FROM given
), version AS (
    INSERT INTO policy_versions (tenant_id, policy_id, version, document, added, removed, created_by, created_at)
    SELECT tenant, policy, 1, document, 0, 0, 'bench', now() FROM given
)
INSERT INTO grants (tenant_id, id, server_id, policy_id, label, identity, token_hash, sealed_token, hint, created_by, created_at)
SELECT g.tenant, gen_random_uuid(), g.server, g.policy, 'agent ' || n, 'person' || n || '@' || g.name || '.example',
       ($6::bytea[])[(g.place - 1) * $8 + n], '\x00', 'tg_grant_', 'bench', now()
FROM given g, generate_series(1, $8) n";
