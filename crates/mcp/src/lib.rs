//! The MCP wire as a gateway must read it: envelope, headers, versions, SSE, list filtering. Pure.
