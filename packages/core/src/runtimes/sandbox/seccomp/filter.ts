/**
 * The filter of system calls as a classic BPF program, made by hand so that no native module is needed. Refusals are
 * errors that libraries know how to fall back from; only another architecture's calls kill, since their numbers mean
 * other things. Setuid and setgid bits cannot be made: a root launcher's step would leave them on the host's disk.
 */
import { judgedCalls, refusedCalls } from './system-calls.ts'
import type { FilteredArchitecture, JudgedCall } from './system-calls.ts'

export interface FilterOptions {
  readonly architecture: FilteredArchitecture
  /** False where no network namespace keeps a step from the host's network: then no internet sockets, no connections. */
  readonly internetSockets: boolean
}

const auditArchitecture: Readonly<Record<FilteredArchitecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 }
const x32Bit = 0x40000000

const EPERM = 1
const EACCES = 13
const ENOSYS = 38
const EAFNOSUPPORT = 97

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const newNamespaces = 0x7e020000
const setIdBits = 0o6000
/** O_CREAT and the bit that is O_TMPFILE's own: only then is the mode an argument. */
const creating = 0o20000100
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c

type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, value: number]

const loadNumber: Instruction = [0x20, 0, 0, 0]
const loadArchitecture: Instruction = [0x20, 0, 0, 4]
/** The low word of an argument; all that are judged here are 32 bits wide. */
const loadArgument = (index: number): Instruction => [0x20, 0, 0, 16 + 8 * index]
const skipUnlessEqual = (value: number, skipped: number): Instruction => [0x15, 0, skipped, value]
const skipIfEqual = (value: number, skipped: number): Instruction => [0x15, skipped, 0, value]
const skipUnlessAtLeast = (value: number, skipped: number): Instruction => [0x35, 0, skipped, value]
const skipUnlessAnyBit = (value: number, skipped: number): Instruction => [0x45, 0, skipped, value]
const allow: Instruction = [0x06, 0, 0, 0x7fff0000]
const killProcess: Instruction = [0x06, 0, 0, 0x80000000]
const refuse = (errno: number): Instruction => [0x06, 0, 0, 0x00050000 | errno]

/** The architecture of this process, null where there is no filter for it. */
export function filteredArchitecture(): FilteredArchitecture | null {
  return process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64') ? process.arch : null
}

export function seccompFilter(options: FilterOptions): Buffer {
  const program = [...entry(options.architecture), ...refusals(options.architecture), ...judgements(options), allow]
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(([code, whenTrue, whenFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(whenTrue, index * 8 + 2)
    bytes.writeUInt8(whenFalse, index * 8 + 3)
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4)
  })
  return bytes
}

function entry(architecture: FilteredArchitecture): readonly Instruction[] {
  const own: Instruction[] = [
    loadArchitecture,
    skipIfEqual(auditArchitecture[architecture], 1),
    killProcess,
    loadNumber,
  ]
  return architecture === 'x64' ? [...own, skipUnlessAtLeast(x32Bit, 1), refuse(ENOSYS)] : own
}

function refusals(architecture: FilteredArchitecture): readonly Instruction[] {
  return Object.values(refusedCalls).flatMap((numbers) => {
    const number = numbers[column(architecture)]
    return number === null ? [] : [skipUnlessEqual(number, 1), refuse(EPERM)]
  })
}

function judgements({ architecture, internetSockets }: FilterOptions): readonly Instruction[] {
  const families = internetSockets ? [AF_UNIX, AF_INET, AF_INET6] : [AF_UNIX]
  const rules: Partial<Record<JudgedCall, readonly Instruction[]>> = {
    // Its flags are behind a pointer, which a filter cannot follow: libc falls back to clone.
    clone3: [refuse(ENOSYS)],
    openat2: [refuse(ENOSYS)],
    clone: [loadArgument(0), skipUnlessAnyBit(newNamespaces, 1), refuse(EPERM)],
    chmod: refuseSetId(1),
    fchmod: refuseSetId(1),
    fchmodat: refuseSetId(2),
    fchmodat2: refuseSetId(2),
    creat: refuseSetId(1),
    mknod: refuseSetId(1),
    mknodat: refuseSetId(2),
    open: refuseSetIdFile(1, 2),
    openat: refuseSetIdFile(2, 3),
    // Characters typed into a terminal on the launcher's behalf.
    ioctl: [loadArgument(1), skipUnlessEqual(TIOCSTI, 1), refuse(EPERM), skipUnlessEqual(TIOCLINUX, 1), refuse(EPERM)],
    // Only asking (all bits) and the plain Linux personality.
    personality: [loadArgument(0), skipIfEqual(0, 2), skipIfEqual(0xffffffff, 1), refuse(EPERM)],
    socket: [
      loadArgument(0),
      ...families.map((family, index) => skipIfEqual(family, families.length - index)),
      refuse(EAFNOSUPPORT),
    ],
    // Without a network namespace a Unix socket such as Docker's is a way out that Landlock does not close.
    ...(internetSockets ? {} : { connect: [refuse(EACCES)] }),
  }
  return Object.entries(rules).flatMap(([name, body]) => {
    const number = judgedCalls[name as JudgedCall][column(architecture)]
    if (number === null) return []
    const whole = [...body, loadNumber]
    return [skipUnlessEqual(number, whole.length), ...whole]
  })
}

function refuseSetId(modeArgument: number): readonly Instruction[] {
  return [loadArgument(modeArgument), skipUnlessAnyBit(setIdBits, 1), refuse(EPERM)]
}

function refuseSetIdFile(flagsArgument: number, modeArgument: number): readonly Instruction[] {
  const ifCreating = refuseSetId(modeArgument)
  return [loadArgument(flagsArgument), skipUnlessAnyBit(creating, ifCreating.length), ...ifCreating]
}

function column(architecture: FilteredArchitecture): 0 | 1 {
  return architecture === 'x64' ? 0 : 1
}
