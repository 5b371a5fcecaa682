//! The demo upstream: a workflow engine of 49 tools behind MCP.
