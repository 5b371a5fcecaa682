//! The data plane: /mcp/{server}.
