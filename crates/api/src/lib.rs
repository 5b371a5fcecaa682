//! JSON front door: /api/v1, OpenAPI, problem+json.
