//! Forgetting. Comes in: memory that is given back. Goes out: the same, overwritten. Must never leave what a member
//! contributed in memory that nobody owns: it passes through TLS, HTTP/2 and protobuf, whose buffers nobody else wipes.
//! Stacks and registers are not covered.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Of every program that the coordinator is a part of.
#[global_allocator]
static WIPED: ZeroAlloc<System> = ZeroAlloc(System);
