//! The routes. A file is named after the first part of its paths below `/api/v1`; `routes!` puts each handler into the
//! router and the document at once.

mod about;
mod accounts;
mod admin_log;
mod approvals;
mod decisions;
mod export;
mod grants;
mod keys;
mod logins;
mod organisations;
mod policies;
mod servers;
mod simulations;
mod tokens;
mod versions;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ApiState;
use crate::problem::Problem;

/// All of them.
pub(crate) fn all() -> OpenApiRouter<ApiState> {
    let v1 = OpenApiRouter::new()
        .merge(accounts())
        .merge(organisations())
        .merge(servers())
        .merge(policies())
        .merge(grants())
        .merge(approvals())
        .merge(audit())
        .routes(routes!(admin_log::list_admin_log))
        .routes(routes!(about::get_openapi))
        .fallback(async || Problem::NoRoute);
    OpenApiRouter::new().nest("/api/v1", v1).routes(routes!(about::get_jwks))
}

fn accounts() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(accounts::sign_up))
        .routes(routes!(accounts::log_in))
        .routes(routes!(accounts::get_session, accounts::log_out))
        .routes(routes!(tokens::create_token))
}

fn organisations() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(organisations::list_organisations, organisations::create_organisation))
        .routes(routes!(organisations::get_organisation, organisations::rename_organisation))
        .routes(routes!(organisations::list_members))
        .routes(routes!(keys::list_keys, keys::create_key))
        .routes(routes!(keys::revoke_key))
}

fn servers() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(servers::list_catalogue))
        .routes(routes!(servers::probe_server))
        .routes(routes!(servers::list_servers, servers::register_server))
        .routes(routes!(servers::get_server, servers::update_server, servers::delete_server))
        .routes(routes!(servers::replace_credentials))
        .routes(routes!(logins::get_login, logins::change_login))
        .routes(routes!(logins::make_connect_link))
        .routes(routes!(logins::connect_as_client))
        .routes(routes!(logins::disconnect))
        .routes(routes!(servers::list_tools))
        .routes(routes!(servers::refresh_tools))
        .routes(routes!(servers::get_protocol, servers::change_protocol))
        .routes(routes!(servers::approve_tools))
}

fn policies() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(policies::list_policies))
        .routes(routes!(policies::get_policy_schema))
        .routes(routes!(policies::list_server_policies, policies::create_policy))
        .routes(routes!(policies::check_policy))
        .routes(routes!(simulations::simulate_call))
        .routes(routes!(simulations::compare_tools))
        .routes(routes!(policies::propose_policy))
        .routes(routes!(policies::list_presets))
        .routes(routes!(policies::get_policy, policies::rename_policy, policies::delete_policy))
        .routes(routes!(versions::list_versions, versions::save_version))
        .routes(routes!(versions::get_version))
        .routes(routes!(versions::diff_versions))
}

fn grants() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(grants::list_grants))
        .routes(routes!(grants::list_server_grants, grants::mint_grant))
        .routes(routes!(grants::get_grant))
        .routes(routes!(grants::rotate_grant))
        .routes(routes!(grants::reveal_grant))
        .routes(routes!(grants::revoke_grant))
        .routes(routes!(grants::attach_policy))
        .routes(routes!(grants::set_grant_expiry))
}

fn approvals() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(approvals::list_approvals))
        .routes(routes!(approvals::get_approval))
        .routes(routes!(approvals::approve_call))
        .routes(routes!(approvals::refuse_call))
}

fn audit() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(decisions::list_decisions))
        .routes(routes!(decisions::get_decision))
        .routes(routes!(decisions::get_call_of_decision))
        .routes(routes!(decisions::get_histogram))
        .routes(routes!(export::export_decisions))
}
