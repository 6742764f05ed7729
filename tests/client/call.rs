//! Each call: the exact request, and what is made of its reply.
