//! asyncio's debug mode on Tokio, row by row: a program that does the thing, the real inspector that must report it,
//! and the program's healthy twin, of which it must report nothing. The rows are those of the README's table.

mod row;

mod e12;
mod e20;
mod e42;
mod e43;
mod e56;
mod edges;
mod guard;
mod leak;

mod p01;
mod p02;
mod p03;
mod p04;
mod p05;
mod p06;
mod p07;
mod p08;
mod p09;
mod p10;
mod p11;
mod p12;
mod p13;
mod p14;
mod p15;
mod p16;
mod p17;
mod p18;
mod p19;
mod p20;
mod p21;
mod p22;
mod p23;
mod p24;
mod p25;
mod p26;
mod p27;
mod p29;
mod p30;
mod pool;
