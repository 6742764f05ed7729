//! What goes wrong between a client and Kintone: the emulator's faults, and how the client takes them.

mod input;
mod run;
mod served;
mod wire;
