# Everything a person types. The services that demo and test need are started by scripts/services, and stopped after.
.DEFAULT_GOAL := help
.PHONY: help demo test bench lint fmt sqlx editor

help: ## show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

demo: ## build, start everything, drive an agent through the gateway; ONCE=1 ends after the table
	cargo build --profile demo --locked -p tollgate -p flowforge-sim
	scripts/services run -- target/demo/tollgate demo $(if $(ONCE),--once)

test: ## every test, with private services
	scripts/services run -- scripts/test

bench: ## the policy language against its bounds, the gateway against nginx, in release
	scripts/services run -- scripts/bench

lint: ## formatting and clippy, warnings denied
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

fmt: ## format the code
	cargo fmt --all

sqlx: ## write .sqlx anew after a change of a query or a migration
	scripts/services run -- scripts/sqlx

editor: ## write web/static/editor.js anew after a change in web/editor
	scripts/editor
