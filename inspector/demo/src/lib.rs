//! The faulty program.
