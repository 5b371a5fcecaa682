//! A file a page: struct, handler and template of one name. Addresses are listed here, and nowhere else.

pub mod account;
pub mod admin_log;
pub mod approvals;
pub mod connect;
pub mod docs;
pub mod grants;
pub mod keys;
pub mod log;
pub mod log_in;
pub mod members;
pub mod organisations;
pub mod overview;
pub mod policies;
pub mod servers;
pub mod settings;
pub mod signup;
pub mod steps;

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use control::Control;
use uuid::Uuid;

use crate::assets;
use crate::state::DashboardState;
use crate::view::filters;

/// The page that stands for one that could not be shown.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorTemplate {
    pub status: u16,
    pub title: &'static str,
    pub message: String,
    pub request_id: Uuid,
}

/// Every address.
pub fn routes() -> Router<DashboardState> {
    Router::new()
        .route("/static/{file}", get(assets::asset))
        .merge(of_people())
        .nest("/o/{org}", of_organisations().nest("/servers/{server}", of_servers()))
}

fn of_people() -> Router<DashboardState> {
    Router::new()
        .route("/", get(organisations::home))
        .route("/signup", get(signup::signup).post(signup::submit_signup))
        .route("/login", get(log_in::login).post(log_in::submit_login))
        .route("/logout", post(log_in::logout))
        .route("/docs/api", get(docs::api::api))
        .route("/docs/policy", get(docs::policy::policy))
        .route("/schemas/policy-v1.json", get(docs::policy::schema))
        .route("/account", get(account::account))
        .route("/approvals/{approval}", get(approvals::find::find))
        .route("/connect/{token}", get(connect::link).post(connect::begin))
        .route(Control::REDIRECT_PATH, get(connect::callback))
        .route(Control::CLIENT_METADATA_PATH, get(connect::metadata))
        .route("/organisations/new", get(organisations::new_organisation).post(organisations::create))
}

fn of_organisations() -> Router<DashboardState> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/log", get(log::list::log))
        .route("/log/live", get(log::live::live))
        .route("/log/export", get(log::export::export))
        .route("/log/{decision}", get(log::decision::decision))
        .route("/approvals", get(approvals::list::list))
        .route("/approvals/{approval}", get(approvals::question::question).post(approvals::question::decide))
        .route("/servers", get(servers::list::list))
        .route("/servers/new", get(servers::new::new).post(servers::new::submit))
        .route("/members", get(members::members))
        .route("/keys", get(keys::keys).post(keys::create))
        .route("/keys/{key}/revoke", post(keys::revoke))
        .route("/admin-log", get(admin_log::admin_log))
        .route("/settings", get(settings::settings).post(settings::rename))
}

fn of_servers() -> Router<DashboardState> {
    Router::new()
        .route("/", get(servers::overview::overview))
        .route("/tools", get(servers::tools::tools).post(servers::tools::refresh))
        .route("/tools/approve", post(servers::protocol::approve))
        .route("/log", get(log::list::server_log))
        .route("/policies", get(policies::list::list))
        .route("/policies/new", get(policies::new::new).post(policies::new::submit))
        .route(
            "/policies/new/simulate",
            get(policies::simulate::simulate_new).post(policies::simulate::submit_new),
        )
        .route("/policies/check", post(policies::check::check))
        .route("/policies/{policy}", get(policies::editor::editor).post(policies::editor::submit))
        .route("/policies/{policy}/rename", post(policies::manage::rename))
        .route("/policies/{policy}/delete", post(policies::manage::delete))
        .route(
            "/policies/{policy}/simulate",
            get(policies::simulate::simulate).post(policies::simulate::submit),
        )
        .route("/policies/{policy}/history", get(policies::history::history))
        .route("/policies/{policy}/diff", get(policies::diff::diff))
        .route("/policies/{policy}/versions/{version}", get(policies::version::version))
        .route("/grants", get(grants::list::list))
        .route("/grants/new", get(grants::mint::new).post(grants::mint::submit))
        .route("/grants/{grant}", get(grants::grant::grant))
        .route("/grants/{grant}/clients", get(grants::clients::first))
        .route("/grants/{grant}/clients/{client}", get(grants::clients::one))
        .route("/grants/{grant}/revoke", post(grants::change::revoke))
        .route("/grants/{grant}/rotate", post(grants::change::rotate))
        .route("/grants/{grant}/reveal", post(grants::change::reveal))
        .route("/grants/{grant}/policy", post(grants::change::attach))
        .route("/grants/{grant}/expiry", post(grants::change::expire))
        .route("/settings", get(servers::settings::settings).post(servers::settings::change))
        .route("/settings/protocol", get(servers::protocol::protocol).post(servers::protocol::change))
        .route("/delete", post(servers::settings::delete))
        .route("/login", post(servers::login::change))
        .route("/connect", post(servers::login::connect))
        .route("/connect-as-client", post(servers::login::connect_as_client))
        .route("/disconnect", post(servers::login::disconnect))
        .route("/links", post(servers::login::link))
}
