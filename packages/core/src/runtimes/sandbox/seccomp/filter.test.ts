/** The filter by a small interpreter of classic BPF, so that both architectures are tried on any. */
import { describe, expect, test } from 'vitest'
import { seccompFilter } from './filter.ts'
import { refusedCalls } from './system-calls.ts'
import type { FilteredArchitecture } from './system-calls.ts'

const allowed = 'allowed'

interface Call {
  readonly number: number
  readonly args?: readonly number[]
  readonly audit?: number
}

const audits = { x64: 0xc000003e, arm64: 0xc00000b7 }

/** What the kernel would do: `allowed`, `killed` or an errno. */
function judge(architecture: FilteredArchitecture, call: Call, internetSockets = true): string | number {
  const program = seccompFilter({ architecture, internetSockets })
  const data = Buffer.alloc(64)
  data.writeUInt32LE(call.number >>> 0, 0)
  data.writeUInt32LE(call.audit ?? audits[architecture], 4)
  call.args?.forEach((value, index) => data.writeUInt32LE(value >>> 0, 16 + 8 * index))
  let accumulator = 0
  for (let at = 0; at < program.length / 8; at += 1) {
    const code = program.readUInt16LE(at * 8)
    const [whenTrue, whenFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)]
    const value = program.readUInt32LE(at * 8 + 4)
    const jump = (isTrue: boolean): number => (isTrue ? whenTrue : whenFalse)
    if (code === 0x20) accumulator = data.readUInt32LE(value)
    else if (code === 0x15) at += jump(accumulator === value)
    else if (code === 0x35) at += jump(accumulator >= value)
    else if (code === 0x45) at += jump((accumulator & value) !== 0)
    else if (code === 0x06) return verdict(value)
    else throw new Error(`unknown instruction ${code}`)
  }
  throw new Error('the program has no end')
}

function verdict(value: number): string | number {
  if (value === 0x7fff0000) return allowed
  return value === 0x80000000 ? 'killed' : value & 0xffff
}

const numbers = {
  x64: {
    read: 0,
    clone: 56,
    socket: 41,
    connect: 42,
    open: 2,
    openat: 257,
    chmod: 90,
    fchmodat: 268,
    ioctl: 16,
    futex: 202,
  },
  arm64: {
    read: 63,
    clone: 220,
    socket: 198,
    connect: 203,
    open: null,
    openat: 56,
    chmod: null,
    fchmodat: 53,
    ioctl: 29,
    futex: 98,
  },
} as const

describe.each(['x64', 'arm64'] as const)('the filter on %s', (architecture) => {
  const known = numbers[architecture]
  const column = architecture === 'x64' ? 0 : 1

  test('refuses every listed call and allows ordinary ones, whatever their arguments', () => {
    for (const [name, entry] of Object.entries(refusedCalls)) {
      const number = entry[column]
      if (number !== null) expect([name, judge(architecture, { number, args: [1, 2, 3] })]).toEqual([name, 1])
    }
    for (const number of [known.read, known.futex]) {
      expect(judge(architecture, { number, args: [0xffffffff, 0xffffffff, 0xffffffff] })).toBe(allowed)
    }
  })

  test('makes libc fall back from clone3 and openat2', () => {
    expect(judge(architecture, { number: 435 })).toBe(38)
    expect(judge(architecture, { number: 437 })).toBe(38)
  })

  test('lets threads and forks be made, but no namespaces', () => {
    const thread = 0x3d0f00
    for (const flags of [thread, 17, 0x01200011]) {
      expect(judge(architecture, { number: known.clone, args: [flags] })).toBe(allowed)
    }
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(judge(architecture, { number: known.clone, args: [flag | 17] })).toBe(1)
    }
  })

  test('knows Unix and internet sockets only, and without internet neither those nor connections', () => {
    const families = (internet: boolean): readonly unknown[] =>
      [1, 2, 10, 16, 17, 38, 40].map((family) =>
        judge(architecture, { number: known.socket, args: [family] }, internet),
      )
    expect(families(true)).toEqual([allowed, allowed, allowed, 97, 97, 97, 97])
    expect(families(false)).toEqual([allowed, 97, 97, 97, 97, 97, 97])
    expect(judge(architecture, { number: known.connect }, true)).toBe(allowed)
    expect(judge(architecture, { number: known.connect }, false)).toBe(13)
  })

  test('sees setuid bits where a mode is an argument, and only there', () => {
    expect(judge(architecture, { number: known.fchmodat, args: [0, 0, 0o4755] })).toBe(1)
    expect(judge(architecture, { number: known.fchmodat, args: [0, 0, 0o1777] })).toBe(allowed)
    expect(judge(architecture, { number: known.openat, args: [0, 0, 0o101, 0o2755] })).toBe(1)
    expect(judge(architecture, { number: known.openat, args: [0, 0, 0o20200001, 0o4600] })).toBe(1)
    expect(judge(architecture, { number: known.openat, args: [0, 0, 0o2000000, 0o7777] })).toBe(allowed)
    if (known.open !== null) expect(judge(architecture, { number: known.open, args: [0, 0o100, 0o4755] })).toBe(1)
    if (known.chmod !== null) expect(judge(architecture, { number: known.chmod, args: [0, 0o6755] })).toBe(1)
  })

  test('types into no terminal', () => {
    expect(judge(architecture, { number: known.ioctl, args: [0, 0x5412] })).toBe(1)
    expect(judge(architecture, { number: known.ioctl, args: [0, 0x541c] })).toBe(1)
    expect(judge(architecture, { number: known.ioctl, args: [0, 0x5401] })).toBe(allowed)
  })

  test('kills calls of another architecture', () => {
    expect(judge(architecture, { number: known.read, audit: 0x40000003 })).toBe('killed')
  })
})

test('the x32 numbers of x64 do not exist', () => {
  expect(judge('x64', { number: 0x40000000 + 321 })).toBe(38)
  expect(judge('x64', { number: -1 })).toBe(38)
})
