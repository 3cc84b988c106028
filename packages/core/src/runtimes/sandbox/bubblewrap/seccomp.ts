/**
 * The filter of system calls, as a classic BPF program that bubblewrap loads: what no step needs and what has broken
 * kernels before is refused with EPERM, `clone3` with ENOSYS so that libc falls back, other architectures are killed.
 */
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

interface Architecture {
  readonly audit: number
  readonly denied: readonly number[]
  readonly clone3: number
  readonly socket: number
}

/** Numbers from the kernel's tables (asm/unistd_64.h, asm-generic/unistd.h). */
const architectures: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    // ptrace, process_vm_*, keyctl family, bpf, perf_event_open, userfaultfd, io_uring, mount family, kexec, modules, ...
    denied: [
      101, 310, 311, 248, 249, 250, 321, 298, 323, 425, 426, 427, 165, 166, 155, 246, 320, 175, 176, 313, 272, 308, 304,
      303, 428, 429, 430, 431, 432, 433, 442, 169, 167, 168, 163, 153, 172, 173, 134, 159, 305, 227, 164, 312, 438, 434,
    ],
    clone3: 435,
    socket: 41,
  },
  arm64: {
    audit: 0xc00000b7,
    denied: [
      117, 270, 271, 217, 218, 219, 280, 241, 282, 425, 426, 427, 40, 39, 41, 104, 294, 105, 106, 273, 97, 268, 265,
      264, 428, 429, 430, 431, 432, 433, 442, 142, 224, 225, 89, 58, 171, 266, 112, 170, 272, 438, 434,
    ],
    clone3: 435,
    socket: 198,
  },
}

const EPERM = 1
const EAFNOSUPPORT = 97
const ENOSYS = 38
const allow = 0x7fff0000
const kill = 0x80000000
const refuse = (errno: number): number => 0x00050000 | errno
/** AF_UNIX, AF_INET, AF_INET6. */
const families = [1, 2, 10]
const x32Bit = 0x40000000

const load = (offset: number): Instruction => [0x20, 0, 0, offset]
const answer = (action: number): Instruction => [0x06, 0, 0, action]
/** Skips `then` instructions when equal, `otherwise` when not. */
const equal = (value: number, then: number, otherwise: number): Instruction => [0x15, then, otherwise, value]
const atLeast = (value: number, then: number, otherwise: number): Instruction => [0x35, then, otherwise, value]
type Instruction = readonly [number, number, number, number]

export function seccompProgram(name: string): Buffer | null {
  const architecture = architectures[name]
  if (architecture === undefined) return null
  const program: Instruction[] = [load(4), equal(architecture.audit, 1, 0), answer(kill), load(0)]
  if (name === 'x64') program.push(atLeast(x32Bit, 0, 1), answer(kill))
  program.push(equal(architecture.clone3, 0, 1), answer(refuse(ENOSYS)))
  for (const number of architecture.denied) program.push(equal(number, 0, 1), answer(refuse(EPERM)))
  // socket(family, ..): the first argument's low word is at offset 16.
  program.push(equal(architecture.socket, 0, families.length + 2), load(16))
  families.forEach((family, i) => program.push(equal(family, families.length - i, 0)))
  program.push(answer(refuse(EAFNOSUPPORT)), answer(allow))
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(([code, yes, no, value], i) => {
    bytes.writeUInt16LE(code, i * 8)
    bytes.writeUInt8(yes, i * 8 + 2)
    bytes.writeUInt8(no, i * 8 + 3)
    bytes.writeUInt32LE(value >>> 0, i * 8 + 4)
  })
  return bytes
}

export interface SeccompFile {
  readonly fd: number
  close(): void
}

/** An unnamed file that holds the program, for bubblewrap to read; null on other architectures. */
export function seccompFile(): SeccompFile | null {
  const program = seccompProgram(process.arch)
  if (program === null) return null
  const folder = mkdtempSync(path.join(tmpdir(), 'cellmill-seccomp-'))
  const file = path.join(folder, 'filter')
  writeFileSync(file, program, { mode: 0o600 })
  const fd = openSync(file, 'r')
  unlinkSync(file)
  rmdirSync(folder)
  return { fd, close: () => closeSync(fd) }
}
