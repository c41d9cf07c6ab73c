//! What one instruction does. The only place in Rust that says so: the machine and the check of a witness share it.

use super::{
    instruction::{Instruction, Op},
    state::REGISTERS,
};

/// What loads and stores go to. `None`: the place is misaligned or out of range.
pub(super) trait Bus {
    fn load<const N: usize>(&self, address: u32) -> Option<[u8; N]>;
    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()>;
}

/// Where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// The next instruction stands there.
    Goto(u32),
    /// The program is done; nothing changed.
    Halt,
    /// No machine goes on; nothing changed.
    Trap,
}

/// A register file with room to spare: a write to `x0` goes to a place that nobody reads, and five or six bits
/// never leave it.
pub(super) const FILE: usize = 2 * REGISTERS;

/// Where writes to `x0` go.
pub(super) const SINK: u8 = 32;

/// Executes one instruction at `pc`. `rd` of [`SINK`] stands for `x0`.
#[inline(always)]
pub(super) fn execute(ins: Instruction, pc: u32, x: &mut [u32; FILE], bus: &mut impl Bus) -> Flow {
    let a = x[usize::from(ins.rs1 & 31)];
    let b = x[usize::from(ins.rs2 & 31)];
    let (imm, next) = (ins.imm, pc.wrapping_add(4));
    let rd = usize::from(ins.rd & 63);
    let value = match ins.op {
        Op::Lui => imm,
        Op::Auipc => pc.wrapping_add(imm),
        Op::Jal => return jump(pc.wrapping_add(imm), (rd, next), x),
        Op::Jalr => return jump(a.wrapping_add(imm) & !1, (rd, next), x),
        Op::Beq => return branch(a == b, pc, imm),
        Op::Bne => return branch(a != b, pc, imm),
        Op::Blt => return branch(a.cast_signed() < b.cast_signed(), pc, imm),
        Op::Bge => return branch(a.cast_signed() >= b.cast_signed(), pc, imm),
        Op::Bltu => return branch(a < b, pc, imm),
        Op::Bgeu => return branch(a >= b, pc, imm),
        Op::Lb => match bus.load(a.wrapping_add(imm)) {
            Some(bytes) => i32::from(i8::from_le_bytes(bytes)).cast_unsigned(),
            None => return Flow::Trap,
        },
        Op::Lh => match bus.load(a.wrapping_add(imm)) {
            Some(bytes) => i32::from(i16::from_le_bytes(bytes)).cast_unsigned(),
            None => return Flow::Trap,
        },
        Op::Lw => match bus.load(a.wrapping_add(imm)) {
            Some(bytes) => u32::from_le_bytes(bytes),
            None => return Flow::Trap,
        },
        Op::Lbu => match bus.load(a.wrapping_add(imm)) {
            Some(bytes) => u32::from(u8::from_le_bytes(bytes)),
            None => return Flow::Trap,
        },
        Op::Lhu => match bus.load(a.wrapping_add(imm)) {
            Some(bytes) => u32::from(u16::from_le_bytes(bytes)),
            None => return Flow::Trap,
        },
        Op::Sb => {
            let [low, ..] = b.to_le_bytes();
            return stored(bus.store(a.wrapping_add(imm), [low]), next);
        }
        Op::Sh => {
            let [low, high, ..] = b.to_le_bytes();
            return stored(bus.store(a.wrapping_add(imm), [low, high]), next);
        }
        Op::Sw => return stored(bus.store(a.wrapping_add(imm), b.to_le_bytes()), next),
        Op::Addi => a.wrapping_add(imm),
        Op::Slti => u32::from(a.cast_signed() < imm.cast_signed()),
        Op::Sltiu => u32::from(a < imm),
        Op::Xori => a ^ imm,
        Op::Ori => a | imm,
        Op::Andi => a & imm,
        Op::Slli => a.wrapping_shl(imm),
        Op::Srli => a.wrapping_shr(imm),
        Op::Srai => a.cast_signed().wrapping_shr(imm).cast_unsigned(),
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll => a.wrapping_shl(b),
        Op::Slt => u32::from(a.cast_signed() < b.cast_signed()),
        Op::Sltu => u32::from(a < b),
        Op::Xor => a ^ b,
        Op::Srl => a.wrapping_shr(b),
        Op::Sra => a.cast_signed().wrapping_shr(b).cast_unsigned(),
        Op::Or => a | b,
        Op::And => a & b,
        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => high(signed(a).wrapping_mul(signed(b))),
        Op::Mulhsu => high(signed(a).wrapping_mul(i64::from(b))),
        Op::Mulhu => high((u64::from(a) * u64::from(b)).cast_signed()),
        Op::Div => divide(a.cast_signed(), b.cast_signed()),
        Op::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Op::Rem => remainder(a.cast_signed(), b.cast_signed()),
        Op::Remu => a.checked_rem(b).unwrap_or(a),
        Op::Fence => return Flow::Goto(next),
        Op::Halt => return Flow::Halt,
        Op::Trap => return Flow::Trap,
    };
    x[rd] = value;
    Flow::Goto(next)
}

/// A jump to a place that is no multiple of four traps, and links nothing.
#[inline(always)]
fn jump(target: u32, (rd, link): (usize, u32), x: &mut [u32; FILE]) -> Flow {
    if target & 3 != 0 {
        return Flow::Trap;
    }
    x[rd] = link;
    Flow::Goto(target)
}

/// A branch that is not taken may aim anywhere.
#[inline(always)]
fn branch(is_taken: bool, pc: u32, imm: u32) -> Flow {
    if !is_taken {
        return Flow::Goto(pc.wrapping_add(4));
    }
    let target = pc.wrapping_add(imm);
    if target & 3 != 0 {
        return Flow::Trap;
    }
    Flow::Goto(target)
}

#[inline(always)]
fn stored(done: Option<()>, next: u32) -> Flow {
    match done {
        Some(()) => Flow::Goto(next),
        None => Flow::Trap,
    }
}

#[inline(always)]
fn signed(value: u32) -> i64 {
    i64::from(value.cast_signed())
}

/// The upper word of a product.
#[inline(always)]
fn high(product: i64) -> u32 {
    let [_, _, _, _, a, b, c, d] = product.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Division by zero gives all ones; the overflow of the least number by -1 gives that number.
#[inline(always)]
fn divide(a: i32, b: i32) -> u32 {
    if b == 0 {
        return u32::MAX;
    }
    a.wrapping_div(b).cast_unsigned()
}

/// The remainder by zero is the dividend; that of the overflow is zero.
#[inline(always)]
fn remainder(a: i32, b: i32) -> u32 {
    if b == 0 {
        return a.cast_unsigned();
    }
    a.wrapping_rem(b).cast_unsigned()
}
