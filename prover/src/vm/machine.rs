//! Executes a program, up to any instruction.

use std::sync::Arc;

use alloy_primitives::B256;

use super::{
    execute::{Bus, FILE, Flow, SINK, execute},
    image::{Image, ImageError, Place, Regions},
    instruction::Instruction,
    memory::{Memory, to_usize},
    state::{REGISTERS, State, Status},
};

impl Bus for Memory {
    #[inline(always)]
    fn load<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        Self::load(self, address)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        Self::store(self, address, value)
    }
}

/// A machine in the middle of a sub-unit.
#[derive(Clone, Debug)]
pub struct Machine {
    program_id: B256,
    code: Arc<[Instruction]>,
    memory: Memory,
    cpu: Cpu,
    marked: Cpu,
}

/// All of a machine but its memory.
#[derive(Clone, Copy, Debug)]
struct Cpu {
    x: [u32; FILE],
    pc: u32,
    step: u64,
    /// The number of the state in which it ended.
    ended_at: Option<u64>,
    status: Status,
}

impl Machine {
    /// Sets a machine before the first instruction of a sub-unit.
    ///
    /// # Errors
    ///
    /// [`ImageError::TooLong`] for what doesn't fit in its region.
    pub fn new(image: &Image, regions: Regions<'_>, place: Place) -> Result<Self, ImageError> {
        let mut x = [0; FILE];
        x[..REGISTERS].copy_from_slice(&image.first_registers(place));
        let cpu = Cpu {
            x,
            pc: image.layout().entry,
            step: 0,
            ended_at: None,
            status: Status::Running,
        };
        // Writes to x0 go where nobody reads.
        let sink = |ins: &Instruction| Instruction {
            rd: if ins.rd == 0 { SINK } else { ins.rd },
            ..*ins
        };
        Ok(Self {
            program_id: image.program_id(),
            code: image.code().iter().map(sink).collect(),
            memory: image.memory(regions)?,
            cpu,
            marked: cpu,
        })
    }

    /// Executes until instruction `step` is the next. Steps after the end only count.
    pub fn run(&mut self, step: u64) {
        let mut left = step.saturating_sub(self.cpu.step);
        self.cpu.step = self.cpu.step.max(step);
        if self.cpu.status != Status::Running {
            return;
        }
        let mut status = Status::Running;
        let code = &self.code[..];
        let mut pc = self.cpu.pc;
        while left != 0 {
            left -= 1;
            let Some(ins) = code.get(to_usize(pc >> 2)) else {
                status = Status::Trapped;
                break;
            };
            match execute(*ins, pc, &mut self.cpu.x, &mut self.memory) {
                Flow::Goto(next) => pc = next,
                Flow::Halt => {
                    status = Status::Halted;
                    break;
                }
                Flow::Trap => {
                    status = Status::Trapped;
                    break;
                }
            }
        }
        self.cpu.pc = pc;
        if status != Status::Running {
            self.cpu.status = status;
            self.cpu.ended_at = Some(self.cpu.step - left);
        }
    }

    /// Executes to the end, or for at most `max_steps` instructions from the start. Returns the number of the state that it ended in, if it did.
    pub fn run_to_end(&mut self, max_steps: u64) -> Option<u64> {
        /// Small enough to find the end soon.
        const STRIDE: u64 = 1 << 20;
        while self.cpu.status == Status::Running && self.cpu.step < max_steps {
            self.run(max_steps.min(self.cpu.step + STRIDE));
        }
        self.cpu.ended_at
    }

    /// Where it stands now. Hashes what was written since the last time.
    pub fn state(&mut self) -> State {
        let mut registers = [0; REGISTERS];
        registers.copy_from_slice(&self.cpu.x[..REGISTERS]);
        State {
            program_id: self.program_id,
            memory_root: self.memory.root(),
            step: self.cpu.step,
            pc: self.cpu.pc,
            status: self.cpu.status,
            registers,
        }
    }

    /// Whether it still runs.
    pub fn status(&self) -> Status {
        self.cpu.status
    }

    /// How many instructions it executed, or counted.
    pub fn step(&self) -> u64 {
        self.cpu.step
    }

    /// Its memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Makes where it stands now the place to go back to.
    pub fn mark(&mut self) {
        self.memory.mark();
        self.marked = self.cpu;
    }

    /// Goes back to the last mark; a new machine is marked at its start.
    pub fn rewind(&mut self) {
        self.memory.rewind();
        self.cpu = self.marked;
    }

    pub(super) fn register(&self, index: u8) -> u32 {
        self.cpu.x[usize::from(index & 31)]
    }

    pub(super) fn pc(&self) -> u32 {
        self.cpu.pc
    }
}
