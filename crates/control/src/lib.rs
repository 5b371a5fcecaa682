//! The operations of the control plane and who may do them.
